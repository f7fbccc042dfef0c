//! The addresses that are looked up.

use crate::options::Options;
use shared::Stage;
use std::net::{IpAddr, Ipv4Addr};

/// More than these would say nothing new.
pub const MOST: u16 = 500;

/// Public resolvers and root servers of the domain name system: there is
/// nobody at home whom a look-up could tell of.
const KNOWN: [[u8; 4]; 10] = [
    [1, 1, 1, 1],
    [8, 8, 8, 8],
    [9, 9, 9, 9],
    [77, 88, 8, 8],
    [114, 114, 114, 114],
    [119, 29, 29, 29],
    [192, 5, 5, 241],
    [193, 0, 14, 129],
    [208, 67, 222, 222],
    [223, 5, 5, 5],
];

/// So many as `--count` says.
pub fn chosen(stage: &Stage) -> Vec<IpAddr> {
    first(stage.options::<Options>().count)
}

/// The first so many: those above, then the other ones of the networks in
/// which the first three are.
pub fn first(number: u16) -> Vec<IpAddr> {
    let known = KNOWN.map(Ipv4Addr::from);
    let near = (2..=254).flat_map(|last| {
        known[..3].iter().map(move |address| {
            let [a, b, c, _] = address.octets();
            Ipv4Addr::new(a, b, c, last)
        })
    });
    let others = near.filter(|address| !known.contains(address));
    let all = known.into_iter().chain(others).map(IpAddr::from);
    all.take(number.into()).collect()
}
