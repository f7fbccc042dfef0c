//! Where an address is.

use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Country, its code, region, its code, city, latitude, longitude, time zone.
type Place = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    f64,
    f64,
    &'static str,
);

#[rustfmt::skip]
const PLACES: [Place; 24] = [
    ("Argentina", "AR", "Buenos Aires F.D.", "C", "Buenos Aires", -34.6, -58.38, "America/Argentina/Buenos_Aires"),
    ("Australia", "AU", "New South Wales", "NSW", "Sydney", -33.87, 151.21, "Australia/Sydney"),
    ("Brazil", "BR", "São Paulo", "SP", "São Paulo", -23.55, -46.63, "America/Sao_Paulo"),
    ("Canada", "CA", "Quebec", "QC", "Montréal", 45.5, -73.57, "America/Toronto"),
    ("Chile", "CL", "Santiago Metropolitan", "RM", "Santiago", -33.45, -70.67, "America/Santiago"),
    ("China", "CN", "Beijing", "BJ", "Beijing", 39.9, 116.4, "Asia/Shanghai"),
    ("China", "CN", "Sichuan", "SC", "Chengdu", 30.66, 104.06, "Asia/Shanghai"),
    ("Egypt", "EG", "Cairo Governorate", "C", "Cairo", 30.04, 31.24, "Africa/Cairo"),
    ("Finland", "FI", "Uusimaa", "18", "Helsinki", 60.17, 24.94, "Europe/Helsinki"),
    ("France", "FR", "Île-de-France", "IDF", "Paris", 48.86, 2.35, "Europe/Paris"),
    ("Germany", "DE", "Bavaria", "BY", "Munich", 48.14, 11.58, "Europe/Berlin"),
    ("India", "IN", "Karnataka", "KA", "Bengaluru", 12.97, 77.59, "Asia/Kolkata"),
    ("Indonesia", "ID", "Jakarta", "JK", "Jakarta", -6.2, 106.82, "Asia/Jakarta"),
    ("Japan", "JP", "Tokyo", "13", "Tokyo", 35.68, 139.69, "Asia/Tokyo"),
    ("Kenya", "KE", "Nairobi County", "30", "Nairobi", -1.29, 36.82, "Africa/Nairobi"),
    ("Mexico", "MX", "Mexico City", "CMX", "Mexico City", 19.43, -99.13, "America/Mexico_City"),
    ("Nigeria", "NG", "Lagos", "LA", "Lagos", 6.52, 3.38, "Africa/Lagos"),
    ("Poland", "PL", "Mazovia", "14", "Warsaw", 52.23, 21.01, "Europe/Warsaw"),
    ("Portugal", "PT", "Lisbon", "11", "Lisbon", 38.72, -9.14, "Europe/Lisbon"),
    ("South Korea", "KR", "Seoul", "11", "Seoul", 37.57, 126.98, "Asia/Seoul"),
    ("Spain", "ES", "Catalonia", "CT", "Barcelona", 41.39, 2.17, "Europe/Madrid"),
    ("Turkey", "TR", "Istanbul", "34", "Istanbul", 41.01, 28.98, "Europe/Istanbul"),
    ("United Kingdom", "GB", "England", "ENG", "London", 51.51, -0.13, "Europe/London"),
    ("United States", "US", "Washington", "WA", "Seattle", 47.61, -122.33, "America/Los_Angeles"),
];

/// What ip-api.com/json/ADDRESS answers in form, with an invented place: the
/// same for the same address, always. Names of hosts are not resolved.
pub(super) fn lookup(query: &str) -> Value {
    let failed =
        |message| json!({"status": "fail", "message": message, "query": query});
    let Ok(address) = query.parse::<IpAddr>() else {
        return failed("invalid query");
    };
    if private(address) {
        return failed("private range");
    }
    if reserved(address) {
        return failed("reserved range");
    }
    let number = spread(address);
    let (country, code, region_name, region, city, lat, lon, timezone) =
        PLACES[number as usize % PLACES.len()];
    let system = 1_000 + number / 32 % 60_000;
    let provider = format!("{city} Example Networks");
    json!({
        "status": "success",
        "country": country,
        "countryCode": code,
        "region": region,
        "regionName": region_name,
        "city": city,
        "zip": format!("{:05}", number / 7 % 100_000),
        "lat": lat,
        "lon": lon,
        "timezone": timezone,
        "isp": provider,
        "org": provider,
        "as": format!("AS{system} {provider}"),
        "query": query,
    })
}

/// FNV-1a, which a later version of Rust will not change.
fn spread(address: IpAddr) -> u64 {
    let step = |hash: u64, byte: &u8| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    };
    let start = 0xcbf2_9ce4_8422_2325;
    let hash = match address {
        IpAddr::V4(address) => address.octets().iter().fold(start, step),
        IpAddr::V6(address) => address.octets().iter().fold(start, step),
    };
    hash >> 16
}

fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

/// Not for hosts on the internet: the special-purpose address registries of
/// IANA (RFC 6890).
fn reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => reserved_v4(address),
        IpAddr::V6(address) => reserved_v6(address),
    }
}

fn reserved_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (18..20).contains(&b))
}

fn reserved_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address.segments()[..2] == [0x2001, 0xdb8]
}
