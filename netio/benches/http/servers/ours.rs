//! Ours: the router with its timing layer, perhaps with an access log around it; or a service without any router.

use super::{Greeting, LARGE_BODY, announce, hello};
use netio::http::{
    Request, Response, StatusCode, reply,
    server::{IntoResponse, Json, Path, Router, Server, Service, middleware},
};
use std::{
    io::{self, Write},
    net::Ipv4Addr,
    sync::Mutex,
};

pub(super) fn serve(bare: bool, logged: bool) -> io::Result<()> {
    if bare {
        return run(async |_: Request| -> Response {
            reply(StatusCode::OK, "text/plain; charset=utf-8", hello("world"))
        });
    }
    let router = Router::new()
        .get("/text/{name}", async |Path(name): Path<String>| hello(&name))
        .get("/json/{name}", async |Path(name): Path<String>| Json(Greeting::to(&name)).into_response())
        .get("/large/{name}", async |Path(_): Path<String>| LARGE_BODY.clone())
        .layer(middleware::timing);
    if !logged {
        return run(router);
    }
    let log = Mutex::new(io::BufWriter::new(io::sink()));
    run(router.layer(middleware::access_log(move |access| {
        writeln!(log.lock().unwrap(), "{access}").expect("a sink takes everything");
    })))
}

fn run(service: impl Service) -> io::Result<()> {
    runtime::block_on(async {
        let server = Server::bind((Ipv4Addr::LOCALHOST, 0))?;
        announce(server.local_addr())?;
        server.serve(service).await?;
        Ok(())
    })
}
