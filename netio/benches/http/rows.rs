//! What is measured: the rows of the table, with the goals of ours.

use std::str::FromStr;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    /// Ours with an access log.
    Logged,
    Raw,
    Hyper,
    Axum,
    Reqwest,
    HyperUtil,
}

impl Side {
    const ALL: [Side; 7] =
        [Side::Ours, Side::Logged, Side::Raw, Side::Hyper, Side::Axum, Side::Reqwest, Side::HyperUtil];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Side::Ours => "ours",
            Side::Logged => "logged",
            Side::Raw => "raw",
            Side::Hyper => "hyper",
            Side::Axum => "axum",
            Side::Reqwest => "reqwest",
            Side::HyperUtil => "hyper-util",
        }
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Side::ALL.into_iter().find(|side| side.as_str() == text).ok_or_else(|| format!("no side is called {text}"))
    }
}

/// What the handler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Text,
    Json,
    /// 1 MiB that is there.
    Large,
}

impl Answer {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Answer::Text => "/text/world",
            Answer::Json => "/json/world",
            Answer::Large => "/large/world",
        }
    }
}

/// A number that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Nanoseconds of processor time, user and system, a request.
    Cpu,
    /// User instructions a request.
    Instructions,
    /// System calls a request.
    Calls,
    /// Resident bytes an idle connection.
    Resident,
}

impl Figure {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Figure::Cpu => "CPU µs",
            Figure::Instructions => "instructions",
            Figure::Calls => "system calls",
            Figure::Resident => "resident bytes",
        }
    }
}

/// What ours shall reach.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// This part of what the first of the sides needs, or less.
    Ratio(f64),
    Value(f64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Requests to a server; the server is measured.
    Served,
    /// Connections that are kept after a request each; the server is measured.
    Idle,
    /// Requests by a client to the raw loop; the client is measured.
    Fetched,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    /// The first is what the others are compared with.
    pub(crate) sides: &'static [Side],
    pub(crate) answer: Answer,
    /// Without router and layers.
    pub(crate) bare: bool,
    pub(crate) connections: usize,
    /// Requests sent at once.
    pub(crate) batch: usize,
    /// Each request on a connection of its own.
    pub(crate) closes: bool,
    /// How many requests make a sample; a tenth, if there is little time. For idle connections: how many of them; a fifth.
    pub(crate) requests: usize,
    /// Whether instructions and system calls are counted too.
    pub(crate) counted: bool,
    pub(crate) goals: &'static [(Figure, Goal)],
}

const SERVERS: &[Side] = &[Side::Raw, Side::Ours, Side::Hyper, Side::Axum];
const CLIENTS: &[Side] = &[Side::Reqwest, Side::Ours, Side::HyperUtil];

/// Text through the router, on 64 connections; the other rows say what is different.
const ROW: Row = Row {
    name: "text-64",
    title: "text, 64 connections",
    kind: Kind::Served,
    sides: SERVERS,
    answer: Answer::Text,
    bare: false,
    connections: 64,
    batch: 1,
    closes: false,
    requests: 30_000,
    counted: false,
    goals: &[],
};

const BUSY: (Figure, Goal) = (Figure::Cpu, Goal::Ratio(1.15));
const LEAN: (Figure, Goal) = (Figure::Instructions, Goal::Value(2_500.0));

pub(crate) const ALL: [Row; 12] = [
    Row {
        name: "text-1",
        title: "text, 1 connection",
        connections: 1,
        requests: 10_000,
        counted: true,
        goals: &[BUSY, (Figure::Calls, Goal::Value(3.0))],
        ..ROW
    },
    Row { counted: true, goals: &[BUSY, LEAN, (Figure::Calls, Goal::Value(2.05))], ..ROW },
    Row { name: "text-512", title: "text, 512 connections", connections: 512, goals: &[BUSY], ..ROW },
    Row {
        name: "json-64",
        title: "JSON, 64 connections",
        answer: Answer::Json,
        counted: true,
        goals: &[BUSY, LEAN],
        ..ROW
    },
    Row {
        name: "bare-64",
        title: "text without router and layer, 64 connections",
        bare: true,
        sides: &[Side::Raw, Side::Ours, Side::Hyper],
        counted: true,
        goals: &[BUSY, LEAN],
        ..ROW
    },
    Row {
        name: "pipelined",
        title: "text, 64 connections, 16 requests at once",
        batch: 16,
        requests: 200_000,
        counted: true,
        goals: &[(Figure::Cpu, Goal::Ratio(1.5)), (Figure::Instructions, Goal::Value(1_800.0))],
        ..ROW
    },
    Row {
        name: "large",
        title: "1 MiB of bytes, 8 connections",
        answer: Answer::Large,
        connections: 8,
        requests: 1_000,
        goals: &[BUSY],
        ..ROW
    },
    Row {
        name: "connect",
        title: "text, a connection for each request, 64 at a time",
        closes: true,
        requests: 5_000,
        goals: &[BUSY],
        ..ROW
    },
    Row {
        name: "access-log",
        title: "text, 64 connections: without and with an access log",
        sides: &[Side::Ours, Side::Logged],
        counted: true,
        ..ROW
    },
    Row {
        name: "idle",
        title: "idle connections, after a request each",
        kind: Kind::Idle,
        requests: 10_000,
        goals: &[(Figure::Resident, Goal::Value(2_048.0))],
        ..ROW
    },
    Row {
        name: "client-1",
        title: "client, a request at a time",
        kind: Kind::Fetched,
        sides: CLIENTS,
        connections: 1,
        requests: 10_000,
        goals: &[(Figure::Cpu, Goal::Ratio(0.5))],
        ..ROW
    },
    Row {
        name: "client-64",
        title: "client, 64 requests at a time",
        kind: Kind::Fetched,
        sides: CLIENTS,
        counted: true,
        goals: &[(Figure::Cpu, Goal::Ratio(0.5))],
        ..ROW
    },
];
