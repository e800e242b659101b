//! Bugs on purpose. The seeded world (`wellhead-world`) plants one at a time, to prove that it would find it: a checker
//! that never fails proves nothing. Builds without debug assertions, and so all that is shipped, have no such switch.
//!
//! The only global in the deciders, and for that reason one per thread: a world runs on one thread, whatever others do.
//! To plant a further bug: a name here, `if planted::has(…)` where it does harm, and a row in `planted.rs` of the world
//! that says which promise it breaks.

use std::cell::Cell;

/// A bug that can be planted, named by who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Planted {
    /// An open target stays open for ever.
    BreakerNeverDue,
    /// A target never opens, whatever it does.
    BreakerNeverOpens,
    /// The heavier of two targets is taken.
    BalanceTakesTheHeavier,
    /// Every retry is granted.
    BudgetNeverRefuses,
    /// There is no pause between two tries of the same target.
    BackoffIsZero,
    /// The app with most in the queue is served first. Found by the simulation of the admission (`hold::crowd`), as the
    /// two that follow.
    FairServesTheGreediest,
    /// The lowest class is served first.
    FairIgnoresTheClass,
    /// One refusal is taken for the smallest limit there is, for good.
    GateStaysAtItsMinimum,
    /// A second attempt is sent at once, whatever is known and paid for.
    HedgeAsksTwoAtOnce,
    /// A wait may be longer than the caller's own patience.
    HoldOutlastsTheDeadline,
    /// Waiters are never told that something has changed.
    HoldForgetsToCall,
    /// The first token is waited for a millisecond, whatever was learnt.
    LatencyLimitIsNothing,
    /// After an outage nobody is let in.
    RampLetsNobodyIn,
    /// A key that is limited does not rest.
    KeyRestIgnoresRetryAfter,
    /// A target that was silent is asked again by the same request.
    LadderAsksTheSilentAgain,
    /// The first failure is the last, whoever else could answer.
    LadderGivesUpEarly,
    /// When all targets are open, everybody may ask.
    LastLightLetsEverybodyIn,
    /// An empty answer of a name server is believed.
    NamesBelieveAnEmptyAnswer,
    /// A second answer that differs from what was delivered is taken for its continuation.
    ResumeAcceptsADifferentAnswer,
    /// A stream that was cut is ended as if it were complete.
    StreamEndsACutLikeAFinish,
    /// The declared text is never said.
    SubstituteForgetsTheText,
    /// What stands in is asked for after the first failure, whoever else could answer.
    SubstituteIsAShortCut,
    /// What was kept of one app is given to another.
    CacheForgetsTheApp,
    /// What was kept is given again for ever.
    CacheForgetsItsTime,
    /// Whoever was being asked when the process died, or failed in silence, is asked again without a doubt. Found by the
    /// simulation of deferred answers (`defer::lives`), as those that follow.
    DeferForgetsTheDoubt,
    /// A request that waits is handed out to whoever claims it, also twice.
    DeferHandsOutTwice,
    /// A request that comes again with its key is a new one.
    DeferForgetsTheKey,
    /// A request that has failed once is not asked for again.
    DeferForgetsWhoFailed,
}

impl Planted {
    /// Those that the seeded world finds.
    pub const IN_WORLDS: [Self; 21] = [
        Self::BreakerNeverDue,
        Self::BreakerNeverOpens,
        Self::BalanceTakesTheHeavier,
        Self::BudgetNeverRefuses,
        Self::BackoffIsZero,
        Self::HedgeAsksTwoAtOnce,
        Self::HoldOutlastsTheDeadline,
        Self::HoldForgetsToCall,
        Self::LatencyLimitIsNothing,
        Self::RampLetsNobodyIn,
        Self::KeyRestIgnoresRetryAfter,
        Self::LadderAsksTheSilentAgain,
        Self::LadderGivesUpEarly,
        Self::LastLightLetsEverybodyIn,
        Self::NamesBelieveAnEmptyAnswer,
        Self::ResumeAcceptsADifferentAnswer,
        Self::StreamEndsACutLikeAFinish,
        Self::SubstituteForgetsTheText,
        Self::SubstituteIsAShortCut,
        Self::CacheForgetsTheApp,
        Self::CacheForgetsItsTime,
    ];

    /// Those that the simulation of deferred answers finds.
    pub const IN_DEFERRAL: [Self; 4] = [
        Self::DeferForgetsTheDoubt,
        Self::DeferHandsOutTwice,
        Self::DeferForgetsTheKey,
        Self::DeferForgetsWhoFailed,
    ];

    /// Those that the simulation of the admission finds.
    pub const IN_ADMISSION: [Self; 3] =
        [Self::FairServesTheGreediest, Self::FairIgnoresTheClass, Self::GateStaysAtItsMinimum];
}

thread_local! {
    static NOW: Cell<Option<Planted>> = const { Cell::new(None) };
}

/// Whether this bug is planted on this thread.
pub fn has(bug: Planted) -> bool {
    cfg!(debug_assertions) && NOW.get() == Some(bug)
}

/// Plants one bug on this thread, or none. Does nothing in a build without debug assertions.
pub fn plant(bug: Option<Planted>) {
    NOW.set(bug);
}
