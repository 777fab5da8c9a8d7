//! What went wrong in a group: one failure, all of them, or a child that did not come up.

use crate::task::JoinError;
use std::{error::Error, fmt, iter, vec};

/// Why something that was to give a value has none.
///
/// ```
/// use runtime::{JoinError, group::{Failure, scope}};
/// let error = runtime::block_on(scope(async |group| {
///     group.spawn(async { if true { panic!("out of cheese") } else { Err::<(), _>("no") } });
///     Ok(())
/// }))
/// .unwrap_err();
/// assert!(matches!(&error.first, Failure::Lost(JoinError::Panicked(_))));
/// assert_eq!(error.first.to_string(), "the task panicked: out of cheese");
/// ```
#[derive(Debug)]
pub enum Failure<E> {
    /// It ended with an error.
    Error(E),
    /// Its task came to no end of its own. In a group, that is a panic: a child that was cancelled is no failure.
    Lost(JoinError),
}

impl<E> Failure<E> {
    /// The error, where it is one.
    ///
    /// ```
    /// use runtime::{JoinError, group::Failure};
    /// assert_eq!(Failure::Error(404).error(), Some(&404));
    /// assert_eq!(Failure::<u32>::Lost(JoinError::Cancelled).error(), None);
    /// ```
    pub fn error(&self) -> Option<&E> {
        if let Failure::Error(error) = self { Some(error) } else { None }
    }
}

impl<E> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Error(error)
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Error(error) => error.fmt(f),
            Failure::Lost(error) => error.fmt(f),
        }
    }
}

impl<E: Error> Error for Failure<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Failure::Error(error) => error.source(),
            Failure::Lost(error) => error.source(),
        }
    }
}

/// All that failed in a [group](super::scope), in the order in which it did: the errors of its children and of its body, and the panics of its
/// children. Those that were cancelled because of the first are not among them.
///
/// ```
/// use runtime::group::scope;
/// let error = runtime::block_on(scope(async |group| {
///     group.spawn(async { Err::<(), _>("the disk is full") });
///     std::future::pending::<Result<(), _>>().await
/// }))
/// .unwrap_err();
/// assert_eq!(error.to_string(), "the disk is full");
/// assert_eq!(error.iter().filter_map(|failure| failure.error()).collect::<Vec<_>>(), [&"the disk is full"]);
/// ```
#[derive(Debug)]
pub struct GroupError<E> {
    /// The one that ended the group.
    pub first: Failure<E>,
    /// Those that failed before they were cancelled, or while they were.
    pub others: Vec<Failure<E>>,
}

impl<E> GroupError<E> {
    pub(super) fn of(failures: Vec<Failure<E>>) -> Option<Self> {
        let mut failures = failures.into_iter();
        failures.next().map(|first| Self { first, others: failures.collect() })
    }

    /// All of them, the first first.
    ///
    /// ```
    /// use runtime::group::{Failure, GroupError};
    /// let error = GroupError { first: Failure::Error(1), others: vec![Failure::Error(2)] };
    /// assert_eq!(error.iter().filter_map(Failure::error).sum::<i32>(), 3);
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = &Failure<E>> {
        iter::once(&self.first).chain(&self.others)
    }
}

impl<E> IntoIterator for GroupError<E> {
    type Item = Failure<E>;
    type IntoIter = iter::Chain<iter::Once<Failure<E>>, vec::IntoIter<Failure<E>>>;

    fn into_iter(self) -> Self::IntoIter {
        iter::once(self.first).chain(self.others)
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.others.iter().try_for_each(|other| write!(f, "; also: {other}"))
    }
}

impl<E: Error + 'static> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.first.source()
    }
}

/// Why [`TaskGroup::start`](super::TaskGroup::start) has no value.
///
/// ```
/// use runtime::group::{StartError, scope};
/// runtime::block_on(scope(async |group| {
///     let started = group.start::<u8, _>(|_started| async { Ok(()) }).await;
///     assert!(matches!(started, Err(StartError::NotStarted)));
///     Ok::<_, &str>(())
/// }))
/// .unwrap();
/// ```
#[derive(Debug)]
pub enum StartError<E> {
    /// The child failed before it had started. The failure is the caller's: the group goes on.
    Failed(Failure<E>),
    /// The child ended without having said that it had started.
    NotStarted,
    /// The child was cancelled before it had started, or the group takes no children any more.
    Cancelled,
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Failed(failure) => write!(f, "the task failed before it had started: {failure}"),
            StartError::NotStarted => f.write_str("the task ended without having started"),
            StartError::Cancelled => f.write_str("the task was cancelled before it had started"),
        }
    }
}

impl<E: Error + 'static> Error for StartError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let StartError::Failed(failure) = self { Some(failure) } else { None }
    }
}
