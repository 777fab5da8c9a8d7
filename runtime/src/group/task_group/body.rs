//! The body of a scope: polled by the scope's own task, and ended with its group.

use super::contained::{Contained, Payload};
use crate::{group::on_cancel::keep_place, worker::Place};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    pub(super) struct Body<F> {
        #[pin]
        future: Contained<F>,
        // Handlers inside were asked, and act.
        asked: bool,
        // Around those inside: what they raise comes here first.
        place: Option<Place>,
    }
}

impl<F> Body<F> {
    pub(super) fn new(future: Contained<F>) -> Self {
        Self { future, asked: false, place: None }
    }
}

impl<F: Future> Body<F> {
    /// Polls it, until it has ended: with an output, or without one, because it was to end.
    ///
    /// It is to end when the group is `closed`, and when its task is asked to. Handlers inside act first (and it may still give an
    /// output); then it is dropped where it stands. It is not polled in between, unless it has handlers: a body that waits for a
    /// child which failed does not run on with its absence.
    pub(super) fn poll(
        self: Pin<&mut Self>,
        closed: bool,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<F::Output>, Payload>> {
        let mut this = self.project();
        keep_place(this.place, context);
        if let Some(place) = this.place.as_ref().filter(|place| place.is_told(context.waker())) {
            // Those inside have acted, or there are none.
            let mine = *this.asked && place.catches();
            if !mine {
                place.clean();
            }
            let dropped = this.future.as_mut().let_go();
            if !mine {
                place.is_over();
            }
            *this.place = None;
            return Poll::Ready(dropped.map(|()| None));
        }
        if closed && !*this.asked {
            *this.asked = true;
            if !this.place.as_ref().is_some_and(Place::ask_inside) {
                *this.place = None;
                return Poll::Ready(this.future.as_mut().let_go().map(|()| None));
            }
        }
        let polled = match &*this.place {
            Some(place) => place.around(|| this.future.as_mut().poll(context)),
            None => this.future.as_mut().poll(context),
        };
        let output = ready!(polled);
        *this.place = None;
        Poll::Ready(output.map(Some))
    }
}
