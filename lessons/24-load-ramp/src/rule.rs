//! When how many requests are due, as the options tell.

use crate::Request;
use crate::target::patient;
use clap::Args;
use shared::Stage;
use std::str::FromStr;
use std::time::Duration;

/// More than that no exercise needs, and no server that others use deserves.
const MOST_REQUESTS: usize = 1000;
const MOST_SECONDS: u32 = 30;

#[derive(Args)]
pub struct Options {
    /// Send REQUESTS at each SECOND, as in 0:50,1:30: at most 1000 in all, and
    /// none after second 30
    #[arg(
        long,
        value_name = "SECOND:REQUESTS,...",
        default_value = "0:50,1:30"
    )]
    #[arg(allow_hyphen_values = true)]
    pub rule: Rule,
    /// Ask the server at URL, such as `http://127.0.0.1:8000/pages/1`, in place
    /// of the local site: only one that you may load
    #[arg(long, value_name = "URL", value_parser = address)]
    pub url: Option<String>,
}

/// Waves of requests, in the order in which they are due.
#[derive(Clone)]
pub struct Rule(Vec<Wave>);

#[derive(Clone, Copy)]
struct Wave {
    second: u32,
    requests: usize,
}

impl Rule {
    /// One request a row of the picture.
    pub fn requests(&self, stage: &Stage, url: &str) -> Vec<Request> {
        let each = self.0.iter().flat_map(|wave| vec![wave; wave.requests]);
        let requests = (1..).zip(each).map(|(number, wave)| Request {
            track: stage.track(format!("request {number}")),
            wave: format!("second {}", wave.second),
            due: stage.time(wave.second.into()),
            url: url.to_owned(),
            limits: patient(Duration::ZERO),
        });
        requests.collect()
    }

    /// How many are due first.
    pub fn first(&self) -> u64 {
        self.0.first().map_or(0, |wave| wave.requests as u64)
    }

    /// How many are due at one moment, at most.
    pub fn largest(&self) -> usize {
        self.0.iter().map(|wave| wave.requests).max().unwrap_or(0)
    }

    /// A time in which a wave arrives at a server, however busy this machine
    /// is; so it is no pause, and the same at every speed.
    pub fn time_to_arrive(&self) -> Duration {
        Duration::from_millis(300 + 10 * self.largest() as u64)
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let waves = text.split(',').map(wave).collect::<Result<Vec<_>, _>>()?;
        for pair in waves.windows(2) {
            let (one, next) = (pair[0].second, pair[1].second);
            if next <= one {
                return Err(format!(
                    "second {next} stands behind second {one}; give each \
                     second once, in order"
                ));
            }
        }
        let requests = waves.iter().map(|wave| wave.requests);
        let all = requests.fold(0, usize::saturating_add);
        if all > MOST_REQUESTS {
            return Err(format!(
                "that is {all} requests; give at most {MOST_REQUESTS} in all"
            ));
        }
        Ok(Self(waves))
    }
}

fn wave(text: &str) -> Result<Wave, String> {
    let Some((second, requests)) = text.split_once(':') else {
        return Err(format!(
            "`{text}` has no second; give SECOND:REQUESTS, as in 0:50,1:30"
        ));
    };
    let second = match second.trim().parse() {
        Ok(second @ 0..=MOST_SECONDS) => second,
        _ => {
            return Err(format!(
                "`{second}` is no second; give a whole number from 0 to \
                 {MOST_SECONDS}, as in 0:50,1:30"
            ));
        }
    };
    let requests = match requests.trim().parse() {
        Ok(requests @ 1..) => requests,
        _ => {
            return Err(format!(
                "`{requests}` is no number of requests; give a whole number \
                 from 1 to {MOST_REQUESTS}, as in 0:50,1:30"
            ));
        }
    };
    Ok(Wave { second, requests })
}

fn address(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("http://")
        .map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
    let well = text.chars().all(|c| c.is_ascii_graphic());
    if well && host.is_some_and(is_host) {
        return Ok(text.to_owned());
    }
    let https = match text.starts_with("https://") {
        true => "https is not spoken here; ",
        false => "",
    };
    Err(format!("{https}give http://HOST:PORT/PATH, as `just site` prints it"))
}

/// A name or a number, and perhaps a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, port),
        _ => (text, "80"),
    };
    !name.is_empty() && port.parse::<u16>().is_ok()
}
