//! What is given to the four operations, and what they say when they fail.

use rust_decimal::Decimal;
use std::any::Any;

/// The options of this lesson.
#[derive(clap::Args)]
pub struct Options {
    /// Calculate with the numbers A and B, of 14 digits at most
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    #[arg(value_parser = number, allow_negative_numbers = true)]
    #[arg(default_values = ["12", "5"])]
    numbers: Vec<Decimal>,
}

impl Options {
    /// The first and the second.
    pub fn both(&self) -> [Decimal; 2] {
        [self.numbers[0], self.numbers[1]]
    }
}

/// Integers and decimals, exactly as they are written. With so many digits
/// each result has room, but for one.
fn number(text: &str) -> Result<Decimal, String> {
    let number = Decimal::from_str_exact(text).ok();
    let fits =
        |n: &Decimal| n.mantissa().abs() < 10_i128.pow(14) && n.scale() <= 14;
    number.filter(fits).ok_or_else(|| {
        "give a number of at most 14 digits, such as 12 or -0.5".to_owned()
    })
}

/// What a thread said when it panicked.
pub fn why(panic: &(dyn Any + Send)) -> &str {
    let owned = || panic.downcast_ref().map(String::as_str);
    panic.downcast_ref().copied().or_else(owned).unwrap_or("unknown")
}
