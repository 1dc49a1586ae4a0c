//! Files as common programs write them.

use super::*;

/// What Outlook exports: a zone of its own, folded lines, an alarm.
const OUTLOOK: &str = "BEGIN:VCALENDAR\r\n\
PRODID:-//Microsoft Corporation//Outlook 16.0 MIMEDIR//EN\r\n\
VERSION:2.0\r\nMETHOD:PUBLISH\r\nX-MS-OLK-FORCEINSPECTOROPEN:TRUE\r\nBEGIN:VTIMEZONE\r\n\
TZID:China Standard Time\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0800\r\n\
TZOFFSETTO:+0800\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nCLASS:PUBLIC\r\n\
CREATED:20260601T010101Z\r\n\
DESCRIPTION:\\n\r\nDTEND;TZID=\"China Standard Time\":20260703T120000\r\n\
DTSTAMP:20260601T010101Z\r\nDTSTART;TZID=\"China Standard Time\":20260703T083000\r\n\
PRIORITY:5\r\nSEQUENCE:0\r\nSUMMARY;LANGUAGE=zh-cn:季度例会：这是一个很长很长\r\n 的标题\r\n\
TRANSP:OPAQUE\r\nUID:040000008200E00074C5B7101A82E008\r\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\r\n\
BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nEND:VALARM\r\n\
END:VEVENT\r\nEND:VCALENDAR\r\n";

/// What a phone exports: UTC, all-day, free, cancelled.
const PHONE: &str = "BEGIN:VCALENDAR\nVERSION:2.0\n\
PRODID:-//Apple Inc.//iOS 18.0//EN\nCALSCALE:GREGORIAN\n\
BEGIN:VEVENT\nUID:A\nDTSTAMP:20260601T000000Z\nDTSTART:20260702T230000Z\nDTEND:20260703T050000Z\n\
SUMMARY:出差\nEND:VEVENT\n\
BEGIN:VEVENT\nUID:B\nDTSTAMP:20260601T000000Z\nDTSTART;VALUE=DATE:20260706\n\
DTEND;VALUE=DATE:20260708\nSUMMARY:培训\nEND:VEVENT\n\
BEGIN:VEVENT\nUID:C\nDTSTAMP:20260601T000000Z\n\
DTSTART;VALUE=DATE:20260710\nSUMMARY:值班\nEND:VEVENT\n\
BEGIN:VEVENT\nUID:D\nDTSTAMP:20260601T000000Z\nDTSTART;VALUE=DATE:20260711\nTRANSP:TRANSPARENT\n\
SUMMARY:生日\nEND:VEVENT\n\
BEGIN:VEVENT\nUID:E\nDTSTAMP:20260601T000000Z\nDTSTART;VALUE=DATE:20260712\nSTATUS:CANCELLED\n\
SUMMARY:取消的会\nEND:VEVENT\nEND:VCALENDAR\n";

fn said(calendar: &Calendar) -> Vec<String> {
    calendar.busy.iter().map(|one| format!("{} {} {}", one.first, one.last, one.title)).collect()
}

/// One event with these lines.
fn event(lines: &str) -> Calendar {
    let lines = lines.replace('|', "\r\n");
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u\r\nSUMMARY:t\r\n\
         {lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    read(text.as_bytes()).unwrap()
}

#[test]
fn files_of_common_programs_are_read() {
    let outlook = read(OUTLOOK.as_bytes()).unwrap();
    assert_eq!(said(&outlook), ["2026-07-03 AM 2026-07-03 AM 季度例会：这是一个很长很长的标题"]);
    let phone = read(PHONE.as_bytes()).unwrap();
    assert_eq!(
        said(&phone),
        [
            "2026-07-03 AM 2026-07-03 PM 出差",
            "2026-07-06 AM 2026-07-07 PM 培训",
            "2026-07-10 AM 2026-07-10 PM 值班",
        ]
    );
    assert_eq!((phone.free, phone.unread.len()), (2, 0));
}

#[test]
fn an_event_is_busy_on_every_half_day_it_touches() {
    for (lines, want) in [
        ("DTSTART:20260703T115900|DTEND:20260703T120000", "2026-07-03 AM 2026-07-03 AM"),
        ("DTSTART:20260703T115900|DTEND:20260703T120001", "2026-07-03 AM 2026-07-03 PM"),
        ("DTSTART:20260703T120000|DTEND:20260704T000000", "2026-07-03 PM 2026-07-03 PM"),
        ("DTSTART:20260703T120000", "2026-07-03 PM 2026-07-03 PM"),
        ("DTSTART:20260703T080000|DURATION:P1DT4H", "2026-07-03 AM 2026-07-04 AM"),
        ("DTSTART:20260703T080000|DURATION:P1W", "2026-07-03 AM 2026-07-10 AM"),
        ("DTSTART;VALUE=DATE:20260703|DTEND;VALUE=DATE:20260703", "2026-07-03 AM 2026-07-03 PM"),
        (
            "DTSTART;TZID=Asia/Shanghai:20260703T130000|DTEND:20260703T060000Z",
            "2026-07-03 PM 2026-07-03 PM",
        ),
        ("DTSTART;TZID=Europe/Berlin:20260703T020000|DURATION:PT1H", "2026-07-03 AM 2026-07-03 AM"),
        (
            "DTSTART;TZID=\"(UTC+08:00) Beijing, Chongqing\":20260703T130000|DURATION:PT1H",
            "2026-07-03 PM 2026-07-03 PM",
        ),
    ] {
        assert_eq!(said(&event(lines)), [format!("{want} t")], "{lines}");
    }
}

#[test]
fn series_that_end_are_read_day_by_day() {
    let starts = |lines: &str| -> Vec<String> {
        event(lines).busy.iter().map(|one| one.first.to_string()).collect()
    };
    let at = "DTSTART:20260703T080000|DURATION:PT1H|RRULE:";
    let of = |rule: &str| starts(&format!("{at}{rule}"));
    assert_eq!(of("FREQ=DAILY;COUNT=3"), ["2026-07-03 AM", "2026-07-04 AM", "2026-07-05 AM"]);
    assert_eq!(of("FREQ=DAILY;INTERVAL=3;UNTIL=20260707"), ["2026-07-03 AM", "2026-07-06 AM"]);
    // 08:00 in Beijing is midnight UTC: the last one is in it.
    assert_eq!(of("FREQ=WEEKLY;UNTIL=20260710T000000Z"), ["2026-07-03 AM", "2026-07-10 AM"]);
    assert_eq!(of("FREQ=WEEKLY;UNTIL=20260709T235959Z"), ["2026-07-03 AM"]);
    // Every other week on Monday and Friday; 3 July 2026 is a Friday.
    assert_eq!(
        of("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;COUNT=4;WKST=MO"),
        ["2026-07-03 AM", "2026-07-13 AM", "2026-07-17 AM", "2026-07-27 AM"]
    );
    assert_eq!(
        of("FREQ=DAILY;BYDAY=SA,SU;COUNT=2|EXDATE:20260704T080000"),
        ["2026-07-05 AM"],
        "what was taken out counts, and is not busy"
    );
    let utc =
        "DTSTART:20260703T000000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2|EXDATE:20260704T000000Z";
    assert_eq!(starts(utc), ["2026-07-03 AM"]);
}

#[test]
fn an_occurrence_that_was_moved_is_busy_where_it_is_now() {
    let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:u\r\n\
        DTSTART:20260703T080000\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:u\r\n\
        RECURRENCE-ID:20260704T080000\r\nDTSTART:20260709T140000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n\
        UID:u\r\nRECURRENCE-ID:20260705T080000\r\nDTSTART:20260705T080000\r\nSTATUS:CANCELLED\r\n\
        END:VEVENT\r\nEND:VCALENDAR\r\n";
    let calendar = read(text.as_bytes()).unwrap();
    assert_eq!(said(&calendar), ["2026-07-03 AM 2026-07-03 AM ", "2026-07-09 PM 2026-07-09 PM "]);
    assert_eq!(calendar.free, 1);
}

#[test]
fn what_is_not_read_for_sure_is_told() {
    let at = "DTSTART:20260703T080000|RRULE:";
    for (lines, why) in [
        ("DTEND:20260703T080000".to_owned(), Why::Start),
        ("DTSTART:2026-07-03".to_owned(), Why::Start),
        ("DTSTART:20260230".to_owned(), Why::Start),
        ("DTSTART:20260703T250000".to_owned(), Why::Start),
        ("DTSTART:+2260703".to_owned(), Why::Start),
        ("DTSTART:20260703T080000|DTEND:20260703T070000".to_owned(), Why::End),
        ("DTSTART:20260703T080000|DTEND;VALUE=DATE:20260704".to_owned(), Why::End),
        ("DTSTART:20260703T080000|DURATION:-PT1H".to_owned(), Why::End),
        ("DTSTART:20260703T080000|DURATION:1H".to_owned(), Why::End),
        ("DTSTART;TZID=Mars/Olympus:20260703T080000".to_owned(), Why::Zone),
        (format!("{at}FREQ=MONTHLY;COUNT=2"), Why::Series),
        (format!("{at}FREQ=WEEKLY;BYDAY=1MO;COUNT=2"), Why::Series),
        (format!("{at}FREQ=WEEKLY;INTERVAL=0;COUNT=2"), Why::Series),
        (format!("{at}FREQ=DAILY;BYHOUR=9;COUNT=2"), Why::Series),
        (format!("{at}FREQ=DAILY"), Why::Endless),
        (format!("{at}FREQ=DAILY;COUNT=999999999"), Why::TooMany),
        (format!("{at}FREQ=DAILY;COUNT=2|RDATE:20260801T080000"), Why::Series),
    ] {
        let calendar = event(&lines);
        assert_eq!(calendar.unread, [("t".to_owned(), why)], "{lines}");
        assert!(calendar.busy.is_empty(), "{lines}");
    }
}

#[test]
fn what_is_no_calendar_is_refused() {
    let deep = format!("{}{}", "BEGIN:A\r\n".repeat(100_000), "END:A\r\n".repeat(100_000));
    for bad in ["", "hello", "BEGIN:VCALENDAR", "<html></html>", deep.as_str()] {
        assert_eq!(read(bad.as_bytes()), Err(Broken::Grammar), "{}", bad.get(..20).unwrap_or(bad));
    }
    assert_eq!(read(b"BEGIN:VCALENDAR\xff"), Err(Broken::Utf8));
    // A line may be folded within a character.
    let (one, two) = "会".as_bytes().split_at(1);
    let folded: [&[u8]; 6] = [
        b"\xef\xbb\xbfBEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n",
        b"DTSTART:20260703\r\nSUMMARY:",
        one,
        b"\r\n ",
        two,
        b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    ];
    assert_eq!(said(&read(&folded.concat()).unwrap()), ["2026-07-03 AM 2026-07-03 PM 会"]);
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(
        lines in proptest::collection::vec(
            "BEGIN:VEVENT|END:VEVENT|DTSTART:2026070[0-9]T.{0,6}|RRULE:FREQ=DAILY;.{0,9}|.{0,12}",
            0..12,
        ),
    ) {
        let text = lines.join("\r\n");
        let _ = read(text.as_bytes());
        let whole = format!("BEGIN:VCALENDAR\r\n{text}\r\nEND:VCALENDAR\r\n");
        let _ = read(whole.as_bytes());
    }
}
