//! Values for people.

/// What a value is counted in.
#[derive(Clone, Copy)]
pub enum Unit {
    Seconds,
    Bytes,
    PerSecond,
}

impl Unit {
    /// The value with three digits that count.
    pub fn text(self, value: f64) -> String {
        self.with(value, |value| match value {
            ..9.995 => format!("{value:.2}"),
            ..99.95 => format!("{value:.1}"),
            _ => format!("{value:.0}"),
        })
    }

    /// The value with no more digits than it needs, for a tick of an axis.
    pub fn tick(self, value: f64) -> String {
        self.with(value, |value| format!("{}", (value * 10.0).round() / 10.0))
    }

    fn with(self, value: f64, number: impl Fn(f64) -> String) -> String {
        let units: &[(f64, &str)] = match self {
            Self::Seconds => {
                &[(1.0, " s"), (1e-3, " ms"), (1e-6, " µs"), (1e-9, " ns")]
            }
            Self::Bytes => &[
                (1_073_741_824.0, " GiB"),
                (1_048_576.0, " MiB"),
                (1024.0, " KiB"),
                (1.0, " B"),
            ],
            Self::PerSecond => &[(1e6, " M/s"), (1e3, " k/s"), (1.0, " /s")],
        };
        // A hair less is still one of the unit.
        let fits = units.iter().find(|(size, _)| value >= *size * 0.999_999);
        let (size, name) = fits.or(units.last()).copied().unwrap_or((1.0, ""));
        format!("{}{name}", number(value / size))
    }

    /// The ticks of an axis: powers of ten, of two for bytes; more where there
    /// would be few.
    pub fn ticks(self, least: f64, most: f64) -> Vec<f64> {
        let all = |steps: &[f64], base: f64| {
            let lowest = least.log(base).floor() as i32;
            let highest = most.log(base).ceil() as i32;
            let powers = (lowest..=highest).map(|power| base.powi(power));
            let ticks = powers.flat_map(|power| {
                steps.iter().map(move |step| power * step).collect::<Vec<_>>()
            });
            ticks
                .filter(|tick| (least..=most).contains(tick))
                .collect::<Vec<_>>()
        };
        let (base, finer): (f64, [&[f64]; 3]) = match self {
            Self::Bytes => (
                1024.0,
                [
                    &[1.0, 32.0],
                    &[1.0, 8.0, 64.0],
                    &[1.0, 4.0, 16.0, 64.0, 256.0],
                ],
            ),
            _ => (10.0, [&[1.0], &[1.0, 3.0], &[1.0, 2.0, 5.0]]),
        };
        let choices = finer.map(|steps| all(steps, base));
        let enough = choices.iter().position(|ticks| ticks.len() >= 5);
        choices[enough.unwrap_or(2)].clone()
    }
}

/// A number of things; one of five digits or more with spaces between the
/// thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for (index, digit) in digits[first..].char_indices() {
        if index % 3 == 0 && !text.is_empty() && number >= 10_000 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
