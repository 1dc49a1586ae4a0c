//! Limits of the console.

/// A map approval number (审图号): some 30 bytes as they are written.
pub const MAP_APPROVAL_BYTES_MAX: usize = 96;
/// Points of all lines of a map, at 12 bytes: the shipped borders have 1 628.
pub const MAP_VERTICES_MAX: usize = 5_000;
/// What is marked on a map, in picture and list, so that the page stays under 400 KiB.
pub const MAP_MARKS_BYTES_MAX: usize = 280 * 1024;
/// What the entries may take that the page of a case shows at a time: the page stays under 150 KiB.
pub const CASE_TIMELINE_BYTES_MAX: usize = 64 * 1024;
/// Cases, and sites, read for a map or a sheet, the newest: two years of five cities.
pub const CONSOLE_READ_MAX: usize = 5_000;
/// Joint actions whose visits are read for a map: a quarter of five cities.
pub const MAP_PLANS_MAX: usize = 20;
/// A form of the console: a text of 16 KiB, each byte written as three, and the choices beside it.
pub const CONSOLE_FORM_BYTES_MAX: usize = 256 * 1024;
/// Lines of one kind in a column of the inbox: more than a screen, fewer than a page is heavy with.
pub const CONSOLE_MATTERS_MAX: usize = 12;
/// Cases, plans and notices on a page of a list.
pub const CONSOLE_PAGE_SIZE: i32 = 30;
/// Units or sites that a form of the console lists to choose from.
pub const CONSOLE_CHOICES_MAX: i32 = 200;
/// Own cases that a page offers to link to what a visit found, the newest; others have numbers.
pub const CONSOLE_LINKED_CASES: i32 = 50;
/// Visits on a page for their results, at most: what a team sees in some days.
pub const CONSOLE_VISITS_MAX: usize = 16;
/// Items of evidence on a page: each has up to three forms.
pub const CONSOLE_EVIDENCE_MAX: usize = 20;
/// Plans on a calendar of the console: a page of five cities that are out every day.
pub const CONSOLE_MONTH_PLANS_MAX: usize = 600;
/// Of them on one day of a month's page, which stays under 150 KiB; the week has the others.
pub const CONSOLE_DAY_PLANS_MAX: usize = 10;
/// A file that is sent in by a page, read into memory: a photograph or a scanned paper. Larger ones
/// go in pieces, by the command line.
pub const CONSOLE_FILE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Such a file with the fields around it.
pub const CONSOLE_UPLOAD_BYTES_MAX: usize = CONSOLE_FILE_BYTES_MAX + CONSOLE_FORM_BYTES_MAX;
/// Such files in memory at a time.
pub const CONSOLE_FILES_MAX: usize = 4;
/// What a field of such a form counts for beside its name and its text.
pub const CONSOLE_FIELD_BYTES: usize = 64;
/// A sheet of cases that is sent in or pasted on a page, as UTF-8: it comes back with the report.
pub const CONSOLE_SHEET_BYTES_MAX: usize = 1024 * 1024;
/// Rows of such a sheet: a check and an import of it take up to 1 800 calls, of which a person may
/// make 1 000 at once and 50 more each second.
pub const CONSOLE_SHEET_ROWS_MAX: usize = 300;
/// Such a sheet with the fields around it: as text, which browsers send with longer line ends.
pub const CONSOLE_SHEET_TEXT_BYTES_MAX: usize = CONSOLE_SHEET_BYTES_MAX + CONSOLE_FORM_BYTES_MAX;
/// Such sheets in memory at a time, with what is said of them.
pub const CONSOLE_SHEETS_READ_MAX: usize = 8;
/// Such sheets that are worked on at a time.
pub const CONSOLE_SHEETS_MAX: usize = 2;
/// Sites of a draw's list on a page of it.
pub const CONSOLE_POOL_SITES: usize = 100;
/// Cases and sites of the map that a joint action is planned from: their names fit into an address.
pub const CONSOLE_PICKS_MAX: usize = 50;
/// Sites near them that are proposed at once: what some teams visit in a few days.
pub const CONSOLE_NEAR_SITES_MAX: usize = 20;
/// Pages that may say at a time that something was just recorded on them.
pub const CONSOLE_MARKS_MAX: usize = 1_024;
/// Values of a pollutant, and officers, that the form of a new case has room for at first.
pub const CONSOLE_CASE_ROWS: usize = 3;
/// Open proposals, and requests for help, that a form of a case lists to choose from, the oldest.
pub const CONSOLE_OPEN_MAX: usize = 20;
/// The text of a paper's code: a code of this size has at most 2 331 bytes.
pub const PAPER_TEXT_BYTES_MAX: usize = 4_096;
