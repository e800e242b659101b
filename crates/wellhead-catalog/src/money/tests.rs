//! What follows from the price lists: nothing is paid twice, nothing is taken as free, sums are exact.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use wellhead_types::Usage;

use super::{Cost, Metered, NanoDollars, Unpriced};
use crate::model::{Price, Prices, Rates, Tier, Unit};

fn rates(listed: &[(Unit, &str)]) -> Rates {
    let mut rates = Rates::default();
    for (unit, dollars) in listed {
        rates.set(*unit, Price::parse(dollars, *unit).unwrap());
    }
    rates
}

fn prices(listed: &[(Unit, &str)]) -> Prices {
    Prices { base: rates(listed), tiers: Vec::new() }
}

/// The published list of a model with every price that there is.
fn full() -> Prices {
    prices(&[
        (Unit::Input, "3"),
        (Unit::Output, "15"),
        (Unit::CacheRead, "0.3"),
        (Unit::CacheWrite, "3.75"),
        (Unit::CacheWrite1h, "6"),
        (Unit::Reasoning, "20"),
        (Unit::AudioInput, "40"),
        (Unit::AudioOutput, "80"),
    ])
}

#[test]
fn every_token_is_paid_once() {
    let usage = Usage {
        input_tokens: 1_000,
        output_tokens: 500,
        cached_input_tokens: 300,
        cache_write_tokens: 250,
        cache_write_1h_tokens: 50,
        reasoning_tokens: 200,
        audio_tokens: 110,
        audio_output_tokens: 10,
        ..Usage::default()
    };
    let used = Metered::of(&usage);
    // 1,000 read: 300 from the cache, 200 written for minutes, 50 for an hour, 100 of audio, 350 plain.
    // 500 written: 10 of audio, 200 of reasoning, 290 plain. Dollars per million are thousands of nano-dollars.
    let expected = 350 * 3_000
        + 300 * 300
        + 200 * 3_750
        + 50 * 6_000
        + 100 * 40_000
        + 290 * 15_000
        + 200 * 20_000
        + 10 * 80_000;
    assert_eq!(full().cost(&used), Ok(NanoDollars(expected)));
    let all: u64 = Unit::ALL.iter().filter(|unit| **unit != Unit::Request).map(|unit| used.get(*unit)).sum();
    assert_eq!(all, usage.total());
}

#[test]
fn counts_that_contradict_their_total_are_cut_to_it() {
    let usage = Usage {
        input_tokens: 10,
        output_tokens: 5,
        cached_input_tokens: 8,
        cache_write_tokens: u64::MAX,
        cache_write_1h_tokens: 1,
        reasoning_tokens: 50,
        audio_tokens: u64::MAX,
        audio_output_tokens: 3,
        ..Usage::default()
    };
    let used = Metered::of(&usage);
    let counts = [Unit::CacheRead, Unit::CacheWrite1h, Unit::CacheWrite, Unit::AudioInput, Unit::Input];
    assert_eq!(counts.map(|unit| used.get(unit)), [8, 1, 1, 0, 0]);
    assert_eq!([Unit::AudioOutput, Unit::Reasoning, Unit::Output].map(|unit| used.get(unit)), [3, 2, 0]);
}

#[test]
fn only_a_missing_discount_is_no_missing_price() {
    let plain = prices(&[(Unit::Input, "2"), (Unit::Output, "8")]);
    let used = |unit: Unit| plain.cost(&Metered::request().with(unit, 1_000));
    for unit in [Unit::Input, Unit::CacheRead, Unit::CacheWrite, Unit::CacheWrite1h, Unit::ImageInput] {
        assert_eq!(used(unit), Ok(NanoDollars(2_000_000)), "{unit:?}");
    }
    for unit in [Unit::Output, Unit::Reasoning, Unit::ImageOutput] {
        assert_eq!(used(unit), Ok(NanoDollars(8_000_000)), "{unit:?}");
    }
    for unit in [Unit::AudioInput, Unit::AudioCacheRead, Unit::AudioOutput, Unit::Image, Unit::Hour] {
        assert_eq!(used(unit), Err(Unpriced(unit)));
    }
    // A price for minutes is too low for an hour.
    let minutes = prices(&[(Unit::Input, "2"), (Unit::CacheWrite, "2.5")]);
    let hour = minutes.cost(&Metered::request().with(Unit::CacheWrite1h, 1));
    assert_eq!(hour, Err(Unpriced(Unit::CacheWrite1h)));
    assert_eq!(Prices::default().cost(&Metered::request().with(Unit::Input, 1)), Err(Unpriced(Unit::Input)));
    assert_eq!(hour.unwrap_err().to_string(), "the price of cache_write_1h is unknown");
}

#[test]
fn a_long_request_is_wholly_in_its_tier() {
    let list = Prices {
        base: rates(&[(Unit::Input, "1.25"), (Unit::Output, "10"), (Unit::CacheRead, "0.125")]),
        tiers: vec![
            Tier { above: 200_000, rates: rates(&[(Unit::Input, "2.5"), (Unit::Output, "15")]) },
            Tier { above: 500_000, rates: rates(&[(Unit::Input, "5")]) },
        ],
    };
    let cost = |input: u64, cached: u64| {
        let usage = Usage {
            input_tokens: input,
            output_tokens: 1_000,
            cached_input_tokens: cached,
            ..Usage::default()
        };
        list.cost(&Metered::of(&usage)).unwrap().0
    };
    assert_eq!(cost(200_000, 0), 200_000 * 1_250 + 1_000 * 10_000, "the edge itself is not above");
    assert_eq!(cost(200_001, 0), 200_001 * 2_500 + 1_000 * 15_000);
    // What was cached counts towards the size, and is sold as the tier says nothing else.
    assert_eq!(cost(200_001, 200_000), 2_500 + 200_000 * 125 + 1_000 * 15_000);
    assert_eq!(
        cost(500_001, 0),
        500_001 * 5_000 + 1_000 * 10_000,
        "the last tier that is reached, and no other"
    );
}

#[test]
fn sums_are_exact_and_rounded_once() {
    // 0.0036 dollars per million: 3.6 nano-dollars for one token.
    let cheap = prices(&[(Unit::Input, "0.0036"), (Unit::Output, "0.0005"), (Unit::CacheRead, "0.000499")]);
    let cost = |input: u64, output: u64| {
        cheap.cost(&Metered::request().with(Unit::Input, input).with(Unit::Output, output)).unwrap().0
    };
    assert_eq!(cost(1, 0), 4);
    assert_eq!(cost(0, 1), 1, "half a nano-dollar is rounded up");
    assert_eq!(cheap.cost(&Metered::request().with(Unit::CacheRead, 1)), Ok(NanoDollars(0)));
    assert_eq!(cost(1, 1), 4, "3.6 and 0.5 are 4.1; rounded by themselves they were 5");
    // 0.36 dollars an hour are 0.0001 a second.
    let whisper = prices(&[(Unit::Hour, "0.36")]);
    assert_eq!(whisper.cost(&Metered::request().with(Unit::Hour, 1_000)), Ok(NanoDollars(100_000)));
    assert_eq!(whisper.cost(&Metered::request().with(Unit::Hour, 3_600_000)), Ok(NanoDollars(360_000_000)));
    let picture = prices(&[(Unit::Image, "0.04"), (Unit::Request, "0.005")]);
    assert_eq!(picture.cost(&Metered::request().with(Unit::Image, 3)), Ok(NanoDollars(125_000_000)));
    assert_eq!(NanoDollars(1_234_567_890).to_string(), "1.234567890");
}

#[test]
fn nothing_overflows() {
    let dear = prices(&[(Unit::Input, "100000"), (Unit::Hour, "100000"), (Unit::Image, "100000")]);
    let used = Metered::request().with(Unit::Input, u64::MAX).with(Unit::Hour, u64::MAX);
    assert_eq!(dear.cost(&used.with(Unit::Image, u64::MAX)), Ok(NanoDollars(u64::MAX)));
    assert_eq!(dear.cost(&Metered::request()), Ok(NanoDollars(0)));
}

#[test]
fn prices_are_read_and_written_without_loss() {
    for (text, unit, pico) in [
        ("2.5", Unit::Input, 2_500_000),
        ("0.003625", Unit::CacheRead, 3_625),
        ("0.04", Unit::Image, 40_000_000_000),
        ("0.36", Unit::Hour, 360_000_000_000),
        ("0", Unit::Output, 0),
        ("100000", Unit::Image, 100_000_000_000_000_000),
    ] {
        let price = Price::parse(text, unit).unwrap();
        assert_eq!(price.pico_dollars(), pico, "{text}");
        assert_eq!(price.dollars(unit).to_string(), text);
    }
    for wrong in ["", ".5", "5.", "-1", "1e3", "1,5", "$5", "0.0000001", "100001", "١"] {
        assert!(Price::parse(wrong, Unit::Input).is_err(), "{wrong}");
    }
}

#[test]
fn a_cost_is_unknown_as_soon_as_a_part_of_it_is() {
    let usage = Usage { input_tokens: 1_000, output_tokens: 100, ..Usage::default() };
    let known = Cost::of(Some(&full()), &usage);
    assert_eq!(known, Cost::Known(NanoDollars(4_500_000)));
    assert_eq!(Cost::of(None, &usage), Cost::Unknown);
    assert_eq!(Cost::of(Some(&Prices::default()), &usage), Cost::Unknown);
    assert_eq!(
        Cost::of(Some(&full()), &Usage::default()),
        Cost::Unknown,
        "what nobody has counted is not free"
    );
    assert_eq!(known.plus(known).nanos(), Some(9_000_000));
    assert_eq!(known.plus(Cost::Nothing), known);
    assert_eq!(Cost::Nothing.plus(Cost::Nothing).nanos(), None);
    assert_eq!(Cost::Unknown.plus(known), Cost::Unknown);
    assert_eq!(known.plus(Cost::Unknown), Cost::Unknown);
}

#[test]
fn cached_audio_and_pictures_have_their_own_prices() {
    let listed = prices(&[
        (Unit::Input, "4"),
        (Unit::Output, "16"),
        (Unit::CacheRead, "0.5"),
        (Unit::AudioInput, "32"),
        (Unit::AudioCacheRead, "0.4"),
        (Unit::ImageInput, "5"),
        (Unit::ImageOutput, "40"),
    ]);
    let usage = Usage {
        input_tokens: 1_000,
        cached_input_tokens: 300,
        cached_audio_tokens: 200,
        audio_tokens: 500,
        image_input_tokens: 100,
        output_tokens: 60,
        image_output_tokens: 50,
        ..Usage::default()
    };
    // 1,000 read: 200 of audio and 100 others from the cache, 300 more of audio, 100 of pictures, 300 plain.
    let expected =
        200 * 400 + 100 * 500 + 300 * 32_000 + 100 * 5_000 + 300 * 4_000 + 50 * 40_000 + 10 * 16_000;
    assert_eq!(Cost::of(Some(&listed), &usage), Cost::Known(NanoDollars(expected)));
    let all: u64 = super::TOKENS.iter().map(|unit| Metered::of(&usage).get(*unit)).sum();
    assert_eq!(all, usage.total(), "each once");
}

#[test]
fn what_is_no_token_is_paid_by_its_own_price_and_nothing_twice() {
    let hour = prices(&[(Unit::Hour, "0.36")]);
    let minute = Usage { audio_ms: 60_000, ..Usage::default() };
    assert_eq!(Cost::of(Some(&hour), &minute), Cost::Known(NanoDollars(6_000_000)));
    // Counted in tokens too, and sold by time (Mistral's transcripts).
    let both = Usage { input_tokens: 4, output_tokens: 635, ..minute };
    assert_eq!(Cost::of(Some(&hour), &both), Cost::Known(NanoDollars(6_000_000)));
    // The other way round: a chat that heard something.
    let tokens = prices(&[(Unit::Input, "1"), (Unit::Output, "2")]);
    assert_eq!(Cost::of(Some(&tokens), &both), Cost::Known(NanoDollars(4_000 + 635 * 2_000)));
    assert_eq!(Cost::of(Some(&tokens), &minute), Cost::Unknown, "time that has no price is not free");
    let image = prices(&[(Unit::Image, "0.04")]);
    assert_eq!(
        Cost::of(Some(&image), &Usage { images: 3, ..Usage::default() }),
        Cost::Known(NanoDollars(120_000_000))
    );
    let search = prices(&[(Unit::Request, "0.002")]);
    assert_eq!(
        Cost::of(Some(&search), &Usage { searches: 2, ..Usage::default() }),
        Cost::Known(NanoDollars(4_000_000))
    );
    assert_eq!(Cost::of(Some(&hour), &Usage::default()), Cost::Unknown);
}
