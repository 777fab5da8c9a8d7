//! What a piece of work costs this process: time on the clock, time on the processor, memory. Linux tells in `/proc`.

use runtime::time::Instant;
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    time::{ClockId, clock_gettime},
};
use std::{fmt, hash::Hasher, io, time::Duration};

/// What was used between two moments.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Time on the wall clock.
    pub wall: Duration,
    /// Time on the processor, all threads together.
    pub cpu: Duration,
    /// By how much the memory in use grew at most, in bytes.
    pub resident: u64,
    /// By how much the address space grew at most, in bytes: memory promised, and mostly never touched.
    pub reserved: u64,
}

/// Does `work`, and measures what it costs.
///
/// # Errors
///
/// Those of `work`, or `/proc/self/status` cannot be read.
pub fn cost(work: impl FnOnce() -> io::Result<()>) -> io::Result<Cost> {
    let before = Memory::now()?;
    let (start, cpu) = (Instant::now(), processor_time());
    work()?;
    let (wall, cpu) = (start.elapsed(), processor_time() - cpu);
    let after = Memory::now()?;
    Ok(Cost {
        wall,
        cpu,
        resident: after.most_resident.saturating_sub(before.resident),
        reserved: after.most_reserved.saturating_sub(before.reserved),
    })
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let (wall, cpu) = (self.wall.as_secs_f64(), self.cpu.as_secs_f64());
        let (resident, reserved) = (megabytes(self.resident), megabytes(self.reserved));
        write!(f, "{wall:>8.2} s {cpu:>8.3} s {resident:>9.1} MB {reserved:>9.1} MB")
    }
}

/// Keeps the processor busy for so long, as counted by the processor time of this thread: waiting for a core is not work.
pub fn compute(work: Duration) {
    if work.is_zero() {
        return;
    }
    let start = cpu_time(ClockId::ThreadCPUTime);
    let mut hasher = std::hash::DefaultHasher::new();
    while cpu_time(ClockId::ThreadCPUTime) - start < work {
        (0..1000).for_each(|number| hasher.write_u64(number));
        std::hint::black_box(hasher.finish());
    }
}

/// Makes sure that this process may have so many files open, and says what to do if it may not.
///
/// # Errors
///
/// The limit is lower, and cannot be raised by the process itself.
pub fn allow_open_files(wanted: u64) -> Result<(), String> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|now| now >= wanted) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).map_err(|_| {
        let most = limit.maximum.map_or("no number".to_owned(), |most| most.to_string());
        format!(
            "this needs {wanted} open files, and the limit is {most}: take a smaller --count, or raise the limit (`ulimit -n`)"
        )
    })
}

/// How many threads this process has.
///
/// # Errors
///
/// `/proc/self/status` cannot be read: this is not Linux.
pub fn threads() -> io::Result<u64> {
    of_status(&std::fs::read_to_string("/proc/self/status")?, "Threads:")
}

/// The number that stands in `/proc/self/status` behind `key`.
fn of_status(status: &str, key: &str) -> io::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other("/proc/self/status is strange"))
}

/// Time on the processor so far, all threads of this process together.
pub fn processor_time() -> Duration {
    cpu_time(ClockId::ProcessCPUTime)
}

fn cpu_time(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The memory of this process, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// In use.
    pub resident: u64,
    /// Address space: promised, and mostly never touched.
    pub reserved: u64,
    most_resident: u64,
    most_reserved: u64,
}

impl Memory {
    /// By how much it has grown since `before`. What became less counts as nothing.
    pub fn since(&self, before: &Memory) -> Memory {
        Memory {
            resident: self.resident.saturating_sub(before.resident),
            reserved: self.reserved.saturating_sub(before.reserved),
            most_resident: self.most_resident.saturating_sub(before.most_resident),
            most_reserved: self.most_reserved.saturating_sub(before.most_reserved),
        }
    }

    /// As it is now.
    ///
    /// # Errors
    ///
    /// `/proc/self/status` cannot be read: this is not Linux.
    pub fn now() -> io::Result<Memory> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let bytes = |key| of_status(&status, key).map(|kilobytes| kilobytes * 1024);
        Ok(Memory {
            resident: bytes("VmRSS:")?,
            reserved: bytes("VmSize:")?,
            most_resident: bytes("VmHWM:")?,
            most_reserved: bytes("VmPeak:")?,
        })
    }
}
