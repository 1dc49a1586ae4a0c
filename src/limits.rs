//! Every limit, named once, with its reason. Zero never means "no limit".

mod console;

pub use console::*;

/// A header holds no text; the largest has 64 heads, 8 parts and 15 distances.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Fits a 20-page summary; evidence travels elsewhere.
pub const PART_BYTES_MAX: usize = 64 * 1024;
/// One slot for each kind of content an event may carry.
pub const PARTS_MAX: usize = 8;
/// Header and parts together.
pub const ENTRY_BYTES_MAX: usize = 256 * 1024;
/// One checkpoint signature covers at most this many entries.
pub const BATCH_ENTRIES_MAX: usize = 256;
/// Keeps one batch well inside one gRPC message and one journal record.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Heads of other logs an entry may name in `after`.
pub const AFTER_MAX: usize = 64;
/// A signed note with its 16 signature lines, charters included.
pub const NOTE_BYTES_MAX: usize = 64 * 1024;
/// Two signed notes, their lengths and 65 hashes: a fork proof of two sizes.
pub const FORK_PROOF_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 4 * 1024;
/// Members of one pool of a draw: all sites of five cities on a border are some hundreds.
pub const DRAW_POOL_MAX: usize = 10_000;
/// What is drawn is a credit code or a certificate number, of 20 characters at most.
pub const DRAW_ID_BYTES_MAX: usize = 64;
/// A member that is a hundred times as likely as another one is drawn without a draw.
pub const DRAW_WEIGHT_MAX: u32 = 100;
/// A file to verify draws from: some pools at their limit.
pub const DRAW_FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Half days of one plan: a month of whole days. All of a plan is in one header.
pub const PLAN_HALF_DAYS_MAX: usize = 62;
/// Visits that one plan names: twenty a city and week; with all else they fit a header.
pub const PLAN_VISITS_MAX: usize = 200;
/// Sites of the pool of one plan: the list is one part.
pub const PLAN_POOL_MAX: usize = 2_000;
/// Officers of a team that come from one side.
pub const PLAN_TEAM_MAX: u32 = 16;
/// A file that a plan is drawn up in: a list of as many sites with what is known of each.
pub const PLAN_DRAFT_BYTES_MAX: usize = 1024 * 1024;
/// What a draft of a plan says that a node keeps: a full pool, full texts.
pub const PLAN_DRAFT_KEPT_BYTES_MAX: usize = 512 * 1024;
/// Drafts of plans that a city keeps: some for each of its people who draw up plans.
pub const PLAN_DRAFTS_MAX: usize = 200;
/// Units that one city sends to a plan: all its officers and vehicles on the border.
pub const PLAN_UNITS_MAX: usize = 200;
/// Officers of one city that are not to go to a certain site (回避).
pub const PLAN_RECUSALS_MAX: usize = 64;
/// Periods in one answer that proposes other days.
pub const PLAN_PERIODS_MAX: usize = 16;
/// Revisions of one plan: whoever needs more has another plan.
pub const PLAN_REVISIONS_MAX: u32 = 100;
/// Amendments of one plan; more are kept and not counted.
pub const PLAN_AMENDMENTS_MAX: u32 = 10_000;
/// Attempts at one draw: each but the last ended because a city withheld its reveal.
pub const PLAN_DRAWS_MAX: u32 = 8;
/// Route, safety notes or contacts of a plan: 1 300 Chinese characters each.
pub const PLAN_TEXT_BYTES_MAX: usize = 4_000;
/// Items that one department checks at one site, or problems found there: a long check list.
pub const PLAN_CHECK_ITEMS_MAX: u32 = 999;
/// Plans that one city opens in an agreement in a year: some dozens.
pub const PLAN_NUMBER_MAX: u32 = 99_999;
/// Answers, comments, units swapped, parts of a draw of each sort that one log says to one revision
/// of a plan; more take no effect.
pub const PLAN_WORDS_MAX: u32 = 100;
/// Arrivals, reports, findings and resolutions of one log to one revision: ten to each visit.
pub const PLAN_VISIT_WORDS_MAX: u32 = 2_000;
/// Cases opened from one visit that an answer of the API shows.
pub const PLAN_CASES_SHOWN_MAX: usize = 50;
/// Visits of one plan that an answer of the API shows: ten times those of a large action, and with
/// its list and what it lacks still within [`API_ANSWER_BYTES_MAX`].
pub const PLAN_VISITS_BYTES_MAX: usize = 512 * 1024;
/// What one plan lacks, as an answer of the API shows it.
pub const PLAN_FINDINGS_BYTES_MAX: usize = 256 * 1024;
/// Plans of one agreement that a calendar looks at.
pub const PLANS_LOOKED_AT_MAX: usize = 100_000;
/// Answers to a plan that an answer of the API shows.
pub const PLAN_ANSWERS_SHOWN_MAX: usize = 200;
/// Characters of a plan's text that its calendar shows.
pub const CALENDAR_TEXT_CHARS_MAX: usize = 500;
/// Plans in one calendar file, the newest.
pub const CALENDAR_PLANS_MAX: usize = 1_000;
/// Plans of one agreement that a calendar feed looks at, the newest: older ones are long over.
pub const CALENDAR_FEED_LOOKED_AT_MAX: usize = 10_000;
/// Days that a plan stays in a feed after it has ended: a quarter.
pub const CALENDAR_FEED_PAST_DAYS: i64 = 92;
/// Days ahead that a feed shows: a year's programme, and the rest of this year.
pub const CALENDAR_FEED_AHEAD_DAYS: i64 = 731;
/// A feed that was made is given to whoever asks within this time: phones ask at the full hour.
pub const CALENDAR_FEED_FRESH_MS: u64 = 1_000;
/// Connections of a feed at a time; what comes beyond is closed. An office has one proxy.
pub const CALENDAR_FEED_CONNECTIONS_MAX: usize = 32;
/// Requests a second of all subscribers together: each asks a few times an hour.
pub const CALENDAR_FEED_PER_S_MAX: u32 = 10;
/// The head of a request: cookies and all, a browser sends some 2 KiB.
pub const CALENDAR_FEED_HEAD_BYTES_MAX: usize = 8 * 1024;
/// Lines of such a head.
pub const CALENDAR_FEED_HEADERS_MAX: usize = 64;
/// Within this time a head is here, also from a phone.
pub const CALENDAR_FEED_HEAD_MS_MAX: u64 = 5_000;
/// Within this time the answer has left and the connection ends; each has one request.
pub const CALENDAR_FEED_REQUEST_MS_MAX: u64 = 30_000;
/// One signature line of a note (C2SP allows more; ours never need it).
pub const NOTE_LINE_BYTES_MAX: usize = 8 * 1024;
/// A charter has at most 16 members, so a note needs at most 16 lines.
pub const NOTE_SIGNATURES_MAX: usize = 16;
/// Members of one agreement; two is the least that can exchange anything.
pub const MEMBERS_MAX: usize = 16;
/// Amendment lines of a charter: a dozen logs of each member that leaves, joins or changes its key.
pub const AMENDMENTS_MAX: usize = 128;
/// Journal segment. Small enough to rewrite at an erasure, large enough to be rare.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Journal record payload: a batch with its parts and its checkpoint.
pub const RECORD_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Space reserved ahead of the journal's end, so that a full disk fails before a byte is written.
pub const JOURNAL_RESERVE_BYTES: u64 = 4 * 1024 * 1024;
/// Below this much free disk, writes are refused and reads go on (default of a setting).
pub const DISK_LOW_BYTES: u64 = 512 * 1024 * 1024;
/// A case title: 128 Chinese characters.
pub const TITLE_BYTES_MAX: usize = 384;
/// The summary of a case: 8 000 Chinese characters, so that evidence still fits beside it.
pub const SUMMARY_BYTES_MAX: usize = 24 * 1024;
/// An address, a place where evidence was taken: 200 Chinese characters.
pub const ADDRESS_BYTES_MAX: usize = 600;
/// A name of a firm, a unit, a law or an evidence item: 120 Chinese characters.
pub const NAME_BYTES_MAX: usize = 360;
/// A number given by another system or on a document, such as 聊环罚字〔2026〕005号.
pub const REFERENCE_BYTES_MAX: usize = 128;
/// A media type; the longest registered ones are shorter.
pub const MIME_BYTES_MAX: usize = 100;
/// Everything of a case that one part carries; the rest of the part's room is salt and framing.
pub const CASE_RECORD_BYTES_MAX: usize = PART_BYTES_MAX - 64;
/// Evidence items of one record: more belong in one archive file with its own list.
pub const EVIDENCE_MAX: usize = 64;
/// Officers on one case, visitors of joint teams included.
pub const OFFICERS_MAX: usize = 16;
/// Collectors of one evidence item; the law asks for two.
pub const COLLECTORS_MAX: usize = 4;
/// Measurements of one record; series travel as evidence files.
pub const POLLUTANTS_MAX: usize = 32;
/// A catalogue file (代码目录) an operator names: fifty times the one that is shipped.
pub const CATALOGUE_BYTES_MAX: usize = 1024 * 1024;
/// Legal bases of one violation: each later one is answered beside each earlier one.
pub const CATALOGUE_BASES_MAX: usize = 16;
/// Pairs of codes that may name one act: more than there are pairs of violations.
pub const CATALOGUE_PAIRS_MAX: usize = 256;
/// Laws or departments in a catalogue: ten times what is shipped.
pub const CATALOGUE_LAWS_MAX: usize = 100;
/// Divisions in a catalogue: every county of the country.
pub const CATALOGUE_DIVISIONS_MAX: usize = 4_000;
/// Ranges of fines of one article: cases it tells apart.
pub const CATALOGUE_FINES_MAX: usize = 8;
/// Legal bases of one record: a few acts under an old and a new text.
pub const LEGAL_BASES_MAX: usize = 16;
/// An evidence file: two hours of drone video.
pub const EVIDENCE_FILE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// A measured number; real ones have under ten digits, and this still fits a table column.
pub const DECIMAL_CHARS_MAX: usize = 24;
/// Ten billion yuan in fen; a larger fine is a slip of the unit.
pub const FEN_MAX: i64 = 1_000_000_000_000;
/// A page nobody asked a size for.
pub const PAGE_SIZE_DEFAULT: u32 = 50;
/// The largest page; more is clamped.
pub const PAGE_SIZE_MAX: u32 = 200;
/// Connections one port keeps open at a time; the next ones wait in the kernel's queue.
pub const CONNECTIONS_MAX: u32 = 512;
/// A TLS handshake takes milliseconds; whoever needs longer holds a place open on purpose.
pub const HANDSHAKE_MS_MAX: u64 = 5_000;
/// Connections are ended at this age, so that identities are checked anew.
pub const CONNECTION_AGE_S_MAX: u64 = 3_600;
/// A configuration is read whole; a larger file is not one.
pub const CONFIG_BYTES_MAX: u64 = 64 * 1024;
/// Elements of all lists in one message: a page of 200 cases with full records has fewer, and
/// all of them together take less than 8 MiB once decoded.
pub const MESSAGE_ELEMENTS_MAX: usize = 32 * 1024;
/// Messages inside messages; ours go seven deep.
pub const MESSAGE_DEPTH_MAX: usize = 16;
/// Free text of a move, a note or an answer: 5 000 Chinese characters.
pub const FREE_TEXT_BYTES_MAX: usize = 16 * 1024;
/// Agreements two cities share; six border pairs and a few wider ones are usual.
pub const HELLO_AGREEMENTS_MAX: usize = 128;
/// Logs of one agreement: 16 members through 32 restores each.
pub const HELLO_LOGS_MAX: usize = 512;
/// Cosignatures shown of one log: one for each witness log that is still of use.
pub const HELLO_COSIGNATURES_MAX: usize = 64;
/// Cards in a greeting: every member of every shared agreement.
pub const HELLO_CARDS_MAX: usize = 256;
/// Notes, checkpoints and ids in a greeting; what does not fit follows in frames of its own. Far
/// more than five cities need, and far below a message.
pub const HELLO_BYTES_MAX: usize = 256 * 1024;
/// Words of a refusal, for the operator's log.
pub const REFUSE_DETAIL_BYTES_MAX: usize = 1024;
/// Facts of a refusal between nodes; no reason of the table has more than five.
pub const REFUSE_FACTS_MAX: usize = 8;
/// The name of such a fact.
pub const FACT_KEY_BYTES_MAX: usize = 32;
/// Its value: the longest is a position, a log id with an index.
pub const FACT_VALUE_BYTES_MAX: usize = 256;
/// One frame between nodes: a batch of 1 MiB with its note and framing, twice over.
pub const PEER_MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// One request to the api port: the largest record with room to spare.
pub const API_MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// One answer of the api port: a page is cut before it gets there, and clients take 4 MiB.
pub const API_ANSWER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What the cases or entries of one page take; leaves room for the one that would go over.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Cases looked at for one page and its total: some 100 ms of reading.
pub const SCAN_ROWS_MAX: u32 = 20_000;
/// States one filter names; there are hardly more.
pub const FILTER_STATES_MAX: usize = 16;
/// Media one filter names; there are seven.
pub const FILTER_MEDIA_MAX: usize = 8;
/// Words of one search by name: place, firm, trade, form.
pub const SEARCH_TERMS_MAX: usize = 8;
/// Parties kept in memory for searching, some 50 MB: of each case one name of [`NAME_BYTES_MAX`]
/// and one credit code. No word is put into an index, and no other text is searched; so what a case
/// takes does not grow with what is written in it. If there are more, cases are looked at one by
/// one, and the parties of the rest are read from the journal each time.
pub const SEARCH_CASES_MAX: usize = 200_000;
/// A request id: a UUID takes 36.
pub const REQUEST_ID_BYTES_MAX: usize = 64;
/// Notes handed in by one call: a charter, 16 cards, and manifests with room to spare.
pub const NOTES_MAX: usize = 64;
/// Streams of one api connection: a pool of browsers behind one gateway.
pub const API_STREAMS_MAX: u32 = 64;
/// Calls of one api connection at a time; with more it is told to come back.
pub const CALLS_PER_CONNECTION_MAX: usize = 16;
/// Calls of the api port that run at a time: more would only queue before the one writer.
pub const CALLS_RUNNING_MAX: usize = 256;
/// Calls of the api port that wait for a place; the next ones are told to come back.
pub const CALLS_WAITING_MAX: usize = 128;
/// Calls a second of one person: a page that asks for everything at once has fifty requests.
pub const PERSON_CALLS_PER_S_MAX: u32 = 50;
/// Calls a second of one enforcement system: a nightly synchronisation.
pub const SYSTEM_CALLS_PER_S_MAX: u32 = 2_000;
/// Seconds' worth of calls that may come at once after a quiet time.
pub const CALL_BURST_S_MAX: u32 = 20;
/// Callers whose rate is remembered; those who have been quiet are forgotten first.
pub const CALLERS_MAX: usize = 4_096;
/// A call that is not answered by then is given up; its write goes on to its end.
pub const API_DEADLINE_MS_MAX: u64 = 15_000;
/// Headers of one call, as the peer port and the api port take them.
pub const CALL_HEADERS_BYTES_MAX: u32 = 8 * 1024;
/// A peer connection carries one exchange and a few unary calls.
pub const PEER_STREAMS_MAX: u32 = 32;
/// Changes that wait for a slow watcher.
pub const WATCH_CHANGES_MAX: usize = 16;
/// A watcher that takes nothing for this long is gone.
pub const WATCH_IDLE_MS_MAX: u64 = 60_000;
/// A watcher hears at least this often.
pub const WATCH_HEARTBEAT_MS_MAX: u64 = 20_000;
/// Writes under way at a time, those of callers who have given up among them: twice the calls that
/// run at a time.
pub const WRITES_UNDER_WAY_MAX: usize = 512;
/// Audit lines that wait for the disk; more are counted and said to be missing.
pub const AUDIT_QUEUE_MAX: usize = 16 * 1024;
/// Calls of one who may not call that have lines in the audit, of each minute and reason: enough to
/// see who, and with [`AUDIT_REFUSED_CALLERS_PER_MIN_MAX`] 300 MB a day at the worst.
pub const AUDIT_REFUSALS_PER_MIN_MAX: u32 = 10;
/// Callers who may not call, each with its reason, that have lines in the audit, of each minute:
/// they have certificates of the own city, of which there are few.
pub const AUDIT_REFUSED_CALLERS_PER_MIN_MAX: usize = 64;
/// Days audit files are kept: six months by 网络安全法 art. 23, and a little more.
pub const AUDIT_DAYS: u32 = 200;
/// From this age on, entries that no other city holds are told of (default of a setting): a lost
/// disk would lose a day's work.
pub const ALONE_S: u64 = 86_400;
/// Within this time the whole journal is read again to find damage (default of a setting): a day,
/// so that damage is found while other cities still hold what lay there.
pub const SCRUB_S: u64 = 86_400;
/// A periodic task that has not come round for this long is started again (default of a setting):
/// a dial takes 5 s an address, and a disk under load takes seconds.
pub const TASK_LATE_S: u64 = 60;
/// Further than this from the members' median, a clock is wrong and not just late, in milliseconds.
pub const CLOCK_SUSPECT_MS: u64 = 300_000;
/// Logs of one city in one agreement: an epoch a year for decades, and no flood of manifests.
pub const CITY_LOGS_MAX: usize = 64;
/// Entries of one log of another city that are taken in on one day (default of a setting): a
/// thousand times what a busy city writes, and half an hour of disk at full speed.
pub const LOG_ENTRIES_PER_DAY_MAX: u64 = 1_000_000;
/// Signed bytes of one log of another city that are taken in on one day (default of a setting): a
/// disk with 100 GiB to spare lasts for weeks, so that an operator can look.
pub const LOG_BYTES_PER_DAY_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// What a city remembers beside a case for itself: 1 000 Chinese characters.
pub const REMARK_BYTES_MAX: usize = 3_000;
/// Why a city was suspended, or who did it: 200 Chinese characters.
pub const SUSPENSION_TEXT_BYTES_MAX: usize = 600;
/// A file that is imported: the limit on rows is met long before.
pub const IMPORT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Rows of one import: twenty years of a busy city.
pub const IMPORT_ROWS_MAX: usize = 100_000;
/// One row of a file that is imported, all its cells: far more than a record may have.
pub const IMPORT_ROW_BYTES_MAX: usize = 512 * 1024;
/// Columns of a file that is imported: twice those there are.
pub const IMPORT_COLUMNS_MAX: usize = 96;
/// Cases with something in the month of one statistic, in all agreements asked for. All are walked.
pub const STATISTICS_CASES_MAX: usize = 100_000;
/// Longest term in days, workdays or months: nothing in the law is longer, and counting is short.
pub const TERM_DAYS_MAX: u32 = 3_660;
/// Emergencies of one city that ring before their entries are here: more at a time are no
/// emergencies, and each may carry the text of a notice.
pub const ALERTS_PER_CITY_MAX: usize = 16;
/// Alerts of one city looked at in a second: each is hashed and read.
pub const ALERTS_PER_S_MAX: u32 = 8;
/// An alert whose entry has not come for so long is forgotten: whoever rang will ring again.
pub const ALERT_KEPT_S: u64 = 24 * 3600;
/// When cities said that they ring, kept for show.
pub const RINGS_KEPT_MAX: usize = 10_000;
/// What was said of a notice or a meeting, as one answer shows it.
pub const NOTICE_REPORTS_SHOWN_MAX: usize = 100;
/// Of that, what did not take effect: a city that was not told must not crowd out the others.
pub const NOTICE_MISFITS_SHOWN_MAX: usize = 10;
/// Entries of a notice or a meeting looked at for one answer.
pub const NOTICE_ENTRIES_LOOKED_AT_MAX: usize = 2_000;
/// Notices of one agreement looked at for one page.
pub const NOTICES_LOOKED_AT_MAX: usize = 2_000;
/// Notices of one agreement looked through when a watch begins, in pieces.
pub const NOTICES_LOOKED_THROUGH_MAX: usize = 20_000;
/// Emergencies with which a watch begins.
pub const RINGS_AT_BEGIN_MAX: usize = 64;
/// Meetings of one agreement looked at for one page, or to count those of a year: there are a few
/// in a year.
pub const MEETINGS_LOOKED_AT_MAX: usize = 2_000;
/// Meetings of one year: one a day would be more than anybody holds.
pub const MEETING_NUMBER_MAX: u32 = 366;
/// A file of minutes whose digest is taken: a hundred scanned pages, read as a whole.
pub const MINUTES_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Hand-overs of one original that one city records: a sample passes through a dozen hands.
pub const CUSTODY_STEPS_MAX: usize = 32;
/// Papers that one referral names: more than the list of kinds has, so that it may grow.
pub const REFERRAL_PAPERS_MAX: usize = 32;
/// Words of police and procuratorate that are shown with a case, the newest ones: its history has
/// all of them.
pub const REFERRAL_WORDS_SHOWN_MAX: usize = 100;
/// Campaigns in a catalogue: their number is one byte, and 1 is any other.
pub const CATALOGUE_CAMPAIGNS_MAX: usize = 254;
/// Lists of one case looked through for an item of evidence: each is read from the disk. Behind
/// them an item is found by the entry that lists it.
pub const EVIDENCE_LISTS_LOOKED_AT_MAX: usize = 256;
/// Records that may be of one act, as one answer shows them of one case; all are counted.
pub const SAME_ACT_HINTS_MAX: usize = 20;
/// Feed entries that a reading call works off before it shows hints: some 100 ms.
pub const SAME_ACT_CATCH_UP_MAX: usize = 1_024;
/// Cases with a party in the index of acts: 420 MB, and decades of sixteen cities.
pub const SAME_ACT_CASES_MAX: usize = 1_000_000;
/// Within so many metres two records may be of one act (default of a setting). No source: a plant
/// with its outfall, and the spread of two hand-held receivers.
pub const SAME_ACT_METRES: u32 = 1_000;
/// The farthest two places of one act may be set to be apart, in metres: the size of a county.
pub const SAME_ACT_METRES_MAX: u32 = 50_000;
/// A data segment of HJ 212-2017 (6.3.1).
pub const HJ212_SEGMENT_BYTES_MAX: usize = 1024;
/// A station's MN: 24 in HJ 212-2017, 14 in that of 2005, and room for later ones.
pub const HJ212_MN_BYTES_MAX: usize = 32;
/// Parts of a split packet: an hour of one station takes two or three.
pub const HJ212_PARTS_MAX: usize = 16;
/// Split packets of one stream that wait for parts: a device sends one after the other.
pub const HJ212_PENDING_MAX: usize = 4;
/// Packets a split one waits for its parts: some minutes of real-time data.
pub const HJ212_PENDING_PACKETS_MAX: u32 = 64;
/// Devices that are connected at a time; the next ones wait in the kernel's queue.
pub const HJ212_CONNECTIONS_MAX: usize = 256;
/// A device that says nothing for this long is gone (default of a flag): who sends only hour data
/// stays connected.
pub const HJ212_IDLE_S: u64 = 3_900;
/// A packet that has begun is whole within this time, also over a mobile network.
pub const HJ212_PACKET_MS_MAX: u64 = 30_000;
/// Bytes between packets after which a connection is closed: who sends only noise is no device.
pub const HJ212_NOISE_BYTES_MAX: u64 = 64 * 1024;
/// Refused packets after which a connection is closed: a device sends one three times.
pub const HJ212_REFUSALS_MAX: u64 = 1_000;
/// What could not be drafted is tried again at this distance while devices are listened to.
pub const HJ212_RETRY_MS: u64 = 60_000;
/// Stations in a file of limits: more than a city has.
pub const HJ212_STATIONS_MAX: usize = 1_000;
/// A file of limits: a thousand stations with ten pollutants each.
pub const HJ212_LIMITS_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// Refused packets that a report names one by one; all are counted.
pub const HJ212_REFUSALS_SHOWN_MAX: usize = 100;
/// Clues that a report names one by one; all are counted.
pub const HJ212_CLUES_SHOWN_MAX: usize = 1_000;
/// Messages kept in a spool folder, a month of ten stations that are always above their limits;
/// then nothing more is answered, so that devices keep what they have.
pub const HJ212_SPOOL_FILES_MAX: usize = 10_000;
/// Parts of split packets that wait in the spool for their others; the oldest make room.
pub const HJ212_SPOOL_PARTS_MAX: usize = 10_000;
/// A unary call of another city ends after this time, also while its body stalls.
pub const PEER_CALL_MS_MAX: u64 = 30_000;
/// Words of the hook's command: a program, a script and what it is told.
pub const HOOK_WORDS_MAX: usize = 32;
/// A word of the hook's command, or an address: keys of robots have some hundred bytes.
pub const HOOK_TEXT_BYTES_MAX: usize = 1_024;
/// Matters in one nudge, the gravest; what lies beyond comes with the next.
pub const NUDGE_MATTERS_MAX: usize = 10_000;
/// Records that a nudge names of each kind; all are counted.
pub const NUDGE_RECORDS_NAMED_MAX: usize = 10;
/// What is read of the head of an answer to a nudge; its body is not read at all.
pub const NUDGE_ANSWER_BYTES_MAX: usize = 16 * 1024;
/// A file of CA certificates for the hook: a system's bundle has some 200 KiB.
pub const HOOK_CA_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// A name of a file that people see: what common file systems take.
pub const FILE_NAME_BYTES_MAX: usize = 255;
/// Size of an evidence file (default of a setting): an hour of video from a drone.
pub const EVIDENCE_UPLOAD_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// A chunk of an evidence file; with what is around it, it fits a message of either port.
pub const EVIDENCE_CHUNK_BYTES_MAX: usize = 512 * 1024;
/// Chunks that this program sends: large enough for speed, small enough to lose little at a cut.
pub const EVIDENCE_CHUNK_BYTES: usize = 256 * 1024;
/// Bytes of an evidence file that come in a second while entries come as well: a hundred megabits,
/// so that a film of an hour takes a minute or two on a busy day and nobody waits for it.
pub const EVIDENCE_BESIDE_ENTRIES_BYTES_PER_S: u64 = 12 * 1024 * 1024;
/// Bytes of all evidence files and of those on their way (default of a setting): a few years.
pub const EVIDENCE_FOLDER_BYTES_MAX: u64 = 200 * 1024 * 1024 * 1024;
/// Bytes of one city's files that are not finished (default of a setting): five of the largest.
pub const EVIDENCE_PENDING_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// Files that come in at a time for one caller: a person watches no more.
pub const EVIDENCE_UPLOADS_PER_CALLER_MAX: usize = 2;
/// Files that come in at a time: each hashes on one core.
pub const EVIDENCE_UPLOADS_MAX: usize = 8;
/// Files read out at a time on the api port.
pub const EVIDENCE_DOWNLOADS_MAX: usize = 16;
/// Files read again at a time because a receipt is recorded.
pub const EVIDENCE_RECEIPTS_MAX: usize = 4;
/// Files one member city reads at a time.
pub const EVIDENCE_SENDS_PER_CITY_MAX: usize = 2;
/// An upload ends after this time; the next one goes on where it was.
pub const EVIDENCE_UPLOAD_MS_MAX: u64 = 3_600_000;
/// A transfer in which nothing comes for so long has been cut.
pub const EVIDENCE_IDLE_MS_MAX: u64 = 30_000;
/// Parts and files that no record names are kept for so long: a night and a day.
pub const EVIDENCE_UNNAMED_MS: i64 = 24 * 3_600_000;
/// A stored file that is read again when its receipt is recorded: a second of hashing.
pub const EVIDENCE_RECEIPT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Within this time every stored file is read again (default of a setting): a week, as files are
/// many times larger than the journal, and the city that has the right bytes keeps them for years.
pub const EVIDENCE_SCRUB_S: u64 = 7 * 86_400;
/// Rotten files that a status names; all are counted.
pub const EVIDENCE_ROTTEN_SHOWN_MAX: usize = 16;
/// How often the right bytes of a file that has rotted are asked for.
pub const EVIDENCE_MEND_AGAIN_S: u64 = 600;
/// How often what may go is looked for.
pub const EVIDENCE_COLLECT_S: u64 = 600;
/// Cases that are remembered of one file: one with more is kept for good, and is served to other
/// cities for these only.
pub const EVIDENCE_CASES_MAX: usize = 64;
/// What one site may pollute: every medium of the list, with room for more.
pub const SITE_MEDIA_MAX: usize = 16;
/// By what one site is watched from afar.
pub const SITE_MONITORING_MAX: usize = 16;
/// Sites that a list looks at: twice those of five cities with ten thousand permits each.
pub const SITES_LOOKED_AT_MAX: usize = 100_000;
/// Own sites of one credit code in one agreement: plants of one enterprise in one city.
pub const SITES_OF_ONE_CODE_MAX: usize = 100;
/// Sites that a list by credit code looks at, own ones first: five cities, four agreements, full.
pub const SITES_BY_CODE_MAX: usize = 2_000;
/// Checks on site of one enterprise in a year (default of a setting): what the office of one of the
/// cities makes known is to be put in its place. From no text.
pub const SITE_CHECKS_A_YEAR: u32 = 3;
/// More than one check a day is no cap.
pub const SITE_CHECKS_A_YEAR_MAX: u32 = 366;
/// Half days of one period: a leap year.
pub const PERIOD_HALF_DAYS_MAX: usize = 732;
/// Days between which common free times are looked for: a quarter.
pub const SLOT_DAYS_MAX: usize = 92;
/// Windows one search gives: people choose among a few.
pub const SLOT_WINDOWS_MAX: usize = 10;
/// Needs of one city for one plan: four kinds of units, and some of certain departments.
pub const PLAN_NEEDS_MAX: usize = 8;
/// Units of one need: a large operation has some dozens of officers of each city.
pub const PLAN_NEED_COUNT_MAX: u32 = 99;
/// Periods of one block: a year's duty roster of one officer in two entries.
pub const UNIT_PERIODS_MAX: usize = 64;
/// So far ahead a unit is blocked at most, in years: a secondment lasts that long.
pub const UNIT_YEARS_AHEAD_MAX: i32 = 3;
/// Years before this one of which the roster keeps busy half days: for questions about last winter.
pub const UNIT_YEARS_BEHIND_MAX: i32 = 1;
/// Periods of one unit that an answer shows: more than two a week of a year.
pub const UNIT_PERIODS_SHOWN_MAX: usize = 100;
/// Windows of an answer when nobody has said how many.
pub const SLOTS_DEFAULT: usize = 3;
/// Lines that say why earlier beginnings fail, in one answer: every half day of a quarter for some
/// five reasons.
pub const SLOT_HINDRANCES_MAX: usize = 1_000;
/// A calendar file that is imported: ten years of a busy person.
pub const ICS_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Busy events of a calendar file, occurrences of series among them.
pub const ICS_EVENTS_MAX: usize = 10_000;
/// Occurrences of one series: every day of ten years.
pub const ICS_STARTS_MAX: usize = 3_660;
/// Components inside components of a calendar file: an alarm is the third.
pub const ICS_DEPTH_MAX: usize = 8;
