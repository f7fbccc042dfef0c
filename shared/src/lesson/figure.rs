use crate::trace::{Event, Trace};

/// A measured time, as the trace has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What was measured; the same exercise in Python uses the same label.
    pub label: String,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Figure {
    pub(super) const NAME: &'static str = "figure";

    /// The figures of a run, in order.
    pub fn all(trace: &Trace) -> Vec<Self> {
        let figures = trace.events().iter();
        let figures = figures.filter(|event| event.name == Self::NAME);
        figures.filter_map(Self::of).collect()
    }

    fn of(event: &Event) -> Option<Self> {
        Some(Self {
            label: event.args.get("label")?.as_str()?.to_owned(),
            seconds: event.args.get("seconds")?.as_f64()?,
        })
    }

    /// Its time in the unit that fits it.
    pub fn time(&self, unicode: bool) -> String {
        let micro = if unicode { "µs" } else { "us" };
        let units = [(1.0, "s"), (1e-3, "ms"), (1e-6, micro), (1e-9, "ns")];
        let fits = units.iter().find(|(size, _)| self.seconds >= *size);
        let (size, unit) = fits.unwrap_or(&units[3]);
        format!("{:.1} {unit}", self.seconds / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_in_the_unit_that_fits() {
        let time = |seconds| {
            let label = String::new();
            Figure { label, seconds }.time(true)
        };
        assert_eq!(time(2.0), "2.0 s");
        assert_eq!(time(0.0123), "12.3 ms");
        assert_eq!(time(1.65e-4), "165.0 µs");
        assert_eq!(time(9.6e-9), "9.6 ns");
        assert_eq!(time(2e-10), "0.2 ns");
    }
}
