//! Chapter 10: an event that comes while an operation is under way must not be forgotten with it.

// ANCHOR: trait
/// What a reactor knows of one direction of a socket.
pub(crate) trait Readiness: Default {
    /// What an operation starts from.
    type Seen;

    /// The system reports that the direction is ready.
    fn event(&mut self);

    /// May it be ready? Then an operation may be tried.
    fn start(&self) -> Option<Self::Seen>;

    /// An operation that started from `seen` would have blocked.
    fn blocked(&mut self, seen: Self::Seen);
}
// ANCHOR_END: trait

mod starter {
    use super::*;

    // ANCHOR: starter
    #[derive(Default)]
    pub(crate) struct Direction {
        ready: bool,
    }

    impl Readiness for Direction {
        // TODO: something by which two events can be told apart.
        type Seen = ();

        fn event(&mut self) {
            self.ready = true;
        }

        fn start(&self) -> Option<()> {
            self.ready.then_some(())
        }

        fn blocked(&mut self, _seen: ()) {
            // TODO: unless an event came since the operation started.
            self.ready = false;
        }
    }
    // ANCHOR_END: starter
    pub(crate) fn fresh() -> Direction {
        Direction::default()
    }
}

mod solution {
    use super::*;

    // ANCHOR: solution
    #[derive(Default)]
    pub(crate) struct Direction {
        ready: bool,
        /// Counts the events.
        tick: u64,
    }

    impl Readiness for Direction {
        type Seen = u64;

        fn event(&mut self) {
            self.ready = true;
            self.tick += 1;
        }

        fn start(&self) -> Option<u64> {
            self.ready.then_some(self.tick)
        }

        fn blocked(&mut self, seen: u64) {
            if self.tick == seen {
                self.ready = false;
            }
        }
    }
    // ANCHOR_END: solution
    pub(crate) fn fresh() -> Direction {
        Direction::default()
    }
}

/// Bytes come, with their event, at every moment of two operations that take all there is.
fn check<R: Readiness>(fresh: fn() -> R) {
    for moments in (0..8).flat_map(|one| (0..8).map(move |other| [one, other])) {
        let (mut direction, mut bytes, mut taken, mut now) = (fresh(), 0, 0, 0);
        let mut pass = |direction: &mut R, bytes: &mut u32| {
            for _ in moments.iter().filter(|moment| **moment == now) {
                *bytes += 1;
                direction.event();
            }
            now += 1;
        };
        // As a task does: while it may be ready, try.
        for _ in 0..16 {
            pass(&mut direction, &mut bytes);
            let Some(seen) = direction.start() else { continue };
            pass(&mut direction, &mut bytes);
            let found = std::mem::take(&mut bytes);
            pass(&mut direction, &mut bytes);
            taken += found;
            if found == 0 {
                direction.blocked(seen);
            }
        }
        let lost = "an event came between the attempt and `blocked`, and was forgotten: its byte stays in the socket";
        assert_eq!((taken, bytes), (2, 0), "{lost} (bytes came at moments {moments:?})");
        assert!(direction.start().is_none(), "all was taken, an operation blocked, and it still counts as ready");
    }
    let mut direction = fresh();
    direction.event();
    let seen = direction.start().expect("an event came");
    (0..70_000).for_each(|_| direction.event());
    direction.blocked(seen);
    assert!(direction.start().is_some(), "after 70,000 events: does the count come round to where it was?");
}

crate::judge! { check(fresh), the starter fails with "an event came between the attempt and `blocked`" }
