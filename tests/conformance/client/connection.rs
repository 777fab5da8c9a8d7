//! What becomes of a connection. RFC 9112, 9.

use super::case::{Case, fields, raw};

pub(super) fn cases() -> Vec<Case> {
    let old = |name: &str, more: &str| {
        raw(name, "9112 9.3", format!("HTTP/1.0 200 OK\r\n{more}Content-Length: 2\r\n\r\nok"), "ok")
    };
    vec![
        fields("it stays", "9112 9.3", "Content-Length: 2"),
        fields("it stays, and says so", "9112 9.3", "Connection: keep-alive\r\nContent-Length: 2"),
        fields("it closes", "9112 9.6", "Connection: close\r\nContent-Length: 2").closed(),
        fields("it closes, in capitals", "9112 9.6", "Connection: CLOSE\r\nContent-Length: 2").closed(),
        fields("it closes, in a list", "9112 9.6", "Connection: x, close\r\nContent-Length: 2").closed(),
        fields("it closes, in a second field", "9112 9.6", "Connection: x\r\nConnection: close\r\nContent-Length: 2")
            .closed(),
        fields("it would stay and close", "9112 9.3", "Connection: keep-alive, close\r\nContent-Length: 2").closed(),
        fields("something that sounds like closing", "9112 9.6", "Connection: closed\r\nContent-Length: 2"),
        old("HTTP/1.0 closes", "").closed(),
        old("HTTP/1.0 stays if it says so", "Connection: keep-alive\r\n"),
        old("HTTP/1.0 closes although it could stay", "Connection: keep-alive, close\r\n").closed(),
        fields("it hangs up without saying so", "9112 9.5", "Content-Length: 2").hangs_up(),
        fields("it resets without saying so", "9112 9.5", "Content-Length: 2").resets(),
        fields("a farewell that nobody asked for", "9112 9.5", "Content-Length: 2")
            .pauses(std::time::Duration::from_millis(5))
            .sends("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n")
            .closed(),
        raw("it hangs up at once", "9112 8", "", "").asked("POST").hangs_up().fails("lost, head"),
        raw("it resets at once", "9112 8", "", "").asked("POST").resets().fails("lost, head"),
    ]
}
