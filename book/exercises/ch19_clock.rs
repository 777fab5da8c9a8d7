//! Chapter 19b: a worker goes to compute. Who knows the nearest deadline now?

mod starter {
    // ANCHOR: starter
    /// This worker is about to compute, and a timer is armed for `nearest`. `sleepers` tells until when each of the others sleeps;
    /// `None` is for ever. Which of them must be woken, so that the timer rings in time?
    pub(crate) fn to_wake(nearest: u64, sleepers: &[Option<u64>]) -> Option<usize> {
        // TODO: not every sleeper that rises some day rises in time, and not every time somebody must be woken.
        let _ = nearest;
        sleepers.iter().position(Option::is_none)
    }
    // ANCHOR_END: starter
}

mod solution {
    // ANCHOR: solution
    /// This worker is about to compute, and a timer is armed for `nearest`. `sleepers` tells until when each of the others sleeps;
    /// `None` is for ever. Which of them must be woken, so that the timer rings in time?
    pub(crate) fn to_wake(nearest: u64, sleepers: &[Option<u64>]) -> Option<usize> {
        let in_time = |until: &Option<u64>| until.is_some_and(|until| until <= nearest);
        if sleepers.is_empty() || sleepers.iter().any(in_time) { None } else { Some(0) }
    }
    // ANCHOR_END: solution
}

/// Every three sleepers, and every deadline. Whoever is woken looks at the timers, and sleeps until the nearest.
fn check(to_wake: fn(u64, &[Option<u64>]) -> Option<usize>) {
    const UNTIL: [Option<u64>; 4] = [None, Some(20), Some(50), Some(80)];
    assert_eq!(to_wake(50, &[]), None, "nobody sleeps, and somebody is woken");
    for (first, second, third) in (0..64).map(|number| (number % 4, number / 4 % 4, number / 16)) {
        for nearest in [10, 20, 40, 50, 90] {
            let mut sleepers = [UNTIL[first], UNTIL[second], UNTIL[third]];
            let before = sleepers.iter().flatten().min().copied();
            match to_wake(nearest, &sleepers) {
                Some(woken) if before.is_some_and(|until| until <= nearest) => {
                    panic!("{sleepers:?} know of {nearest}, and {woken} is woken for nothing");
                }
                Some(woken) => sleepers[woken] = Some(nearest),
                None => {}
            }
            let rises = sleepers.iter().flatten().min();
            assert!(rises.is_some_and(|until| *until <= nearest), "{nearest} is slept past by {sleepers:?}");
        }
    }
}

crate::judge! { check(to_wake), the starter fails with "woken for nothing" }
