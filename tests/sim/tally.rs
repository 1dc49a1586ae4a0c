//! What happened, counted by effect and never by intention: a fault that met nothing does not
//! count, a state that no run reaches is not tested.

/// A list of names with a place for each in an array.
macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($name:ident $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $kind { $($name,)* }

        impl $kind {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

named! {
    /// Kinds of fault.
    Fault {
        WritesLost "unsynced writes lost";
        WritesTorn "unsynced writes torn";
        NamesLost "names of files lost";
        BitFlipped "bits flipped on disk";
        PageZeroed "pages zeroed on disk";
        DiskFull "disk full";
        DiskLow "disk below its low-water mark";
        SyncFailed "syncs failed";
        WriteFailed "writes failed half-way";
        SlowDisk "commits on a slow disk";
        CutMidCommit "power cut in the middle of a commit";
        PowerCut "power cut";
        Killed "process killed";
        Paused "process paused";
        Suspended "machine suspended";
        Restored "restored from an older copy";
        GuardLost "guard lost";
        KeyLost "a node with another key";
        TwoCopies "two live copies of one node";
        ViewsBehind "views behind the journal at a start";
        ViewsLost "views lost";
        ViewsFailed "views failed";
        LinkReset "links reset with frames on their way";
        Delayed "frames delayed by seconds";
        DialledTwice "a second connection of the same dialler";
        DialsCrossed "both sides dialled at once";
        OneWay "one direction cut";
        Pair "two cities cut off from each other";
        Partition "partition";
        HalfOpen "frames into a half-open link";
        SlowReader "slow readers";
        Refused "dials refused";
        DialTimedOut "dials that nobody answered";
        ClockForward "clock a day ahead";
        ClockBack "clock a day back";
        Drift "clocks drifting";
        TimedOut "calls timed out and repeated";
        AtOnce "calls made twice at once";
        Changed "request ids used again for something else";
        OfferedTwice "a liar offers twice";
        MovedTwice "a liar moves a case in two logs";
        WrongPrev "a liar moves from a wrong entry";
        ImpossibleAfter "a liar has seen what never was";
        Forked "a liar signs two histories";
        PartsBlanked "a liar leaves parts out";
        SecondLog "a liar writes two logs";
        FalseRoot "a liar names another root";
        Uninvited "a liar takes what was not offered";
        StaleWord "a liar repeats an old checkpoint";
        ForgedReceipt "a forged cosignature";
        ForgedBatch "a batch with a broken signature";
    }
}

named! {
    /// States that some seed of a gate run must reach.
    State {
        Archived "a case archived";
        Returned "a transfer returned";
        Disputed "a transfer disputed";
        Designated "a jurisdiction designated";
        HandedOn "a case handled by three cities";
        Misfit "an entry that did not take effect";
        DoubleMove "a move taken back for a lower one";
        Waiting "a log that waited for another";
        Relayed "a batch served by another than its author";
        LateParts "narrow parts sent later";
        Granted "a part granted";
        Erased "a part erased";
        Proposed "a proposal adopted";
        Acknowledged "a notice acknowledged by all it is for";
        NoticeEnded "a notice ended";
        MinutesConfirmed "minutes of a meeting confirmed";
        UnitFreed "a unit blocked and freed again in part";
        PlanScheduled "a plan settled by all its cities";
        PlanSummarized "a plan summed up";
        DrawRevealed "a draw of which all have shown their parts";
        RevealWithheld "a draw of which somebody withholds its part";
        WithholderNamed "a city named because it withheld its part of a draw";
        Redrawn "a draw made again with fresh commitments";
        RedrawRevealed "a draw made again of which all have shown their parts";
        TargetByDefault "a site visited because its city withheld";
        RecusedKept "a drawn site that somebody sent keeps away from";
        EvidenceRecognised "evidence of another city recognised";
        EvidenceDeclined "evidence of another city declined";
        PoliceAnswered "an answer of the police that counts";
        SaidBeforeHandOver "a word of the city that had the case before another";
        CheckExcepted "a site checked under an exception";
        CapReached "an enterprise checked as often as may be";
        PartsReceived "a node confirmed all parts by itself";
        StaleEtag "a caller too late";
        Replayed "a repeated call answered from memory";
        Mismatch "a request id refused for another body";
        Gated "a write that waited for members after a start";
        EpochNeeded "a restored log refused";
        NewEpoch "a new epoch begun";
        Recovering "a move held back after a restore";
        DiskLow "a write refused for want of space";
        StorageFailed "a write refused by a failed disk";
        Grouped "several commands in one batch";
        Segments "a journal of several segments";
        TailCut "a torn tail cut at a start";
        DamageFound "damage found";
        DamageMended "damage mended from a member";
        RowsTaken "a start with views that were still good";
        RowsRebuilt "a start that rebuilt the views";
        SilentLink "a silent link ended";
        DuplicateInstance "two copies of one node found out";
        KeptLink "one of two links between two cities kept";
        ForkProof "a fork proof kept";
        Refusal "a frame turned away";
        AllCosigned "a log cosigned by every other member";
        ClosedOutside "a case designated out of the agreement";
        ReadAgain "a session that reads on after a restart";
        TokenExpired "a page token from before a restart";
        CutOffRestore "an older copy that nobody can be asked about";
        CitySuspended "a city suspended by an operator of another one";
        LeanedOn "an entry applied over a log that was suspended";
        Leans "a case not written to because it leans on a suspension";
        QuotaFull "a log that outran its daily quota";
        StartedAnew "everything folded anew without a suspension";
    }
}

impl Fault {
    /// It is not merely what another one led to, nor what a caller does.
    fn is_cause(self) -> bool {
        !matches!(
            self,
            Self::WritesLost
                | Self::WritesTorn
                | Self::NamesLost
                | Self::ViewsBehind
                | Self::ViewsLost
                | Self::HalfOpen
                | Self::Refused
                | Self::DialTimedOut
                | Self::TimedOut
                | Self::AtOnce
                | Self::Changed
        )
    }
}

/// Counts of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    faults: Vec<u64>,
    states: Vec<u64>,
    pub acked: u64,
    pub refused: u64,
    pub unanswered: u64,
    pub entries: u64,
    pub simulated_ms: u64,
    pub steps: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            faults: vec![0; Fault::ALL.len()],
            states: vec![0; State::ALL.len()],
            acked: 0,
            refused: 0,
            unanswered: 0,
            entries: 0,
            simulated_ms: 0,
            steps: 0,
        }
    }
}

impl Tally {
    pub fn fault(&mut self, kind: Fault, times: u64) {
        self.faults[kind as usize] += times;
    }

    pub fn reached(&mut self, state: State) {
        self.states[state as usize] += 1;
    }

    pub fn of(&self, kind: Fault) -> u64 {
        self.faults[kind as usize]
    }

    pub fn times(&self, state: State) -> u64 {
        self.states[state as usize]
    }

    /// Things that broke, or were broken, and were felt. What follows from them does not count
    /// again, and neither does what callers do.
    pub fn fault_count(&self) -> u64 {
        let all = Fault::ALL.iter().filter(|f| f.is_cause());
        all.map(|f| self.of(*f)).sum()
    }

    /// Kinds of fault that took effect.
    pub fn kinds(&self) -> usize {
        self.faults.iter().filter(|n| **n > 0).count()
    }

    /// States that no seed reached; those that only a damaged disk leads to count if disks rot.
    pub fn missing_states(&self, rots: bool) -> Vec<State> {
        let of_rot = |s: &State| matches!(s, State::DamageFound | State::DamageMended);
        let missing = State::ALL.iter().copied().filter(|s| self.times(*s) == 0);
        missing.filter(|s| rots || !of_rot(s)).collect()
    }

    /// Faults that no seed had.
    pub fn missing_faults(&self, rots: bool) -> Vec<Fault> {
        let of_rot = |f: &Fault| matches!(f, Fault::BitFlipped | Fault::PageZeroed);
        let missing = Fault::ALL.iter().copied().filter(|f| self.of(*f) == 0);
        missing.filter(|f| rots || !of_rot(f)).collect()
    }

    pub fn add(&mut self, other: &Self) {
        for (sum, n) in self.faults.iter_mut().zip(&other.faults) {
            *sum += n;
        }
        for (sum, n) in self.states.iter_mut().zip(&other.states) {
            *sum += n;
        }
        self.acked += other.acked;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.entries += other.entries;
        self.simulated_ms += other.simulated_ms;
        self.steps += other.steps;
    }
}
