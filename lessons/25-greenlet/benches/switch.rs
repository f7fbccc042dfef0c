//! What a switch costs.

#[path = "../src/hub.rs"]
mod hub;

use divan::Bencher;
use divan::counter::ItemsCount;
use hub::Hub;

const SWITCHES: usize = 100_000;

fn main() {
    divan::main();
}

/// Two coroutines that do nothing but switch to each other.
#[divan::bench(sample_count = 20)]
fn switch(bencher: Bencher) {
    let pair = || {
        let mut hub = Hub::default();
        for other in [1, 0] {
            hub.add(move |me| (0..SWITCHES / 2).for_each(|_| me.switch(other)));
        }
        hub
    };
    let bencher = bencher.with_inputs(pair).counter(ItemsCount::new(SWITCHES));
    bencher.bench_local_refs(|hub| hub.switch(0));
}
