//! Any bytes as the body of a state or of a lock: what is accepted has an id that a database keeps as it came, and a
//! state can be restored under another serial.

#![no_main]

use alethia_store::states::content;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match content::header(bytes) {
        Ok(header) => {
            assert!(i64::try_from(header.serial).is_ok() && !header.lineage.contains('\0'));
            let next = content::with_serial(bytes, 7).expect("what has a header is a state");
            let expected = content::Header { serial: 7, ..header };
            assert_eq!(content::header(&next), Ok(expected));
        }
        Err(refusal) => assert!(refusal.to_string().len() < 1000, "{refusal}"),
    }
    if let Ok(info) = serde_json::from_slice(bytes)
        && let Ok(id) = content::lock_id(&info)
    {
        assert!(!id.is_empty() && !id.contains('\0'));
    }
});
