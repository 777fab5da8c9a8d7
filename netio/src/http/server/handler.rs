//! Handlers: plain async functions of what they need to know.

use super::{
    extract::FromRequest,
    into_response::IntoResponse,
    router::endpoint::{Endpoint, contained},
};
use ::http::Extensions;
use std::{future::Future, sync::Arc};

/// An async function of up to six [extractors](FromRequest) that returns a [response](IntoResponse), or something that
/// becomes one.
///
/// The extractors run from left to right. The first that cannot have what it wants answers in the handler's place. A panic
/// is a 500.
///
/// `Arguments` is the list of the extractors' types: it tells functions of different kinds apart, and you never write it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not an async function of extractors that returns a response",
    note = "a handler is Send, Sync and 'static, takes up to six arguments that implement `FromRequest`, and its future is \
            Send and gives something that implements `IntoResponse`"
)]
pub trait Handler<Arguments>: Sized + Send + Sync + 'static {
    /// Packs it away, to be called for a request. `Err` tells what it needs and the router does not have.
    #[doc(hidden)]
    fn endpoint(self, states: &Arc<Extensions>) -> Result<Endpoint, String>;
}

macro_rules! handlers {
    ($($Argument:ident)*) => {
        #[allow(non_snake_case, unused_mut, unused_variables, reason = "written for every number of arguments, none too")]
        impl<H, F, $($Argument,)*> Handler<($($Argument,)*)> for H
        where
            H: Fn($($Argument),*) -> F + Send + Sync + 'static,
            F: Future<Output: IntoResponse> + Send + 'static,
            $($Argument: FromRequest + Send + 'static,)*
        {
            fn endpoint(self, states: &Arc<Extensions>) -> Result<Endpoint, String> {
                $($Argument::check(states)?;)*
                let handler = Arc::new(self);
                Ok(Endpoint::new(states, move |mut request| {
                    let handler = handler.clone();
                    contained(|| async move {
                        $(let $Argument = match $Argument::from_request(&mut request).await {
                            Ok(argument) => argument,
                            Err(rejection) => return rejection.into_response(),
                        };)*
                        handler($($Argument),*).await.into_response()
                    })
                }))
            }
        }
    };
}

handlers!();
handlers!(A);
handlers!(A B);
handlers!(A B C);
handlers!(A B C D);
handlers!(A B C D E);
handlers!(A B C D E G);
