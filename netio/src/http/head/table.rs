//! Sets of bytes, looked up in a table that is made when it is compiled.

/// For each byte, whether it is one of these.
macro_rules! table {
    ($bytes:pat) => {{
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < table.len() {
            table[byte] = matches!(byte as u8, $bytes);
            byte += 1;
        }
        table
    }};
}

pub(super) use table;
