//! The address of a site, as somebody chooses it by an option.

use anyhow::anyhow;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};
use std::ffi::OsStr;

/// Whether `text` can be the address of something on a site: `http://`, a host,
/// and perhaps a port and a path.
///
/// # Errors
/// Why it cannot, and to give `wanted` instead.
pub fn check_address(text: &str, wanted: &str) -> Result<(), String> {
    let rest = text.strip_prefix("http://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let port = host.rsplit_once(':').filter(|_| !host.ends_with(']'));
    let strange = |c: char| c.is_whitespace() || c.is_control();
    let why = if text.starts_with("https://") {
        "https is not spoken here"
    } else if !text.starts_with("http://") {
        "it does not begin with http://"
    } else if host.contains('@') {
        "it says who you are, which everybody could read"
    } else if host.is_empty() || host.starts_with(':') {
        "it names no host"
    } else if port.is_some_and(|(_, port)| port.parse::<u16>().is_err()) {
        "its port is no number up to 65535"
    } else if text.contains(strange) {
        "there is a space in it"
    } else {
        return Ok(());
    };
    Err(format!("{why}; give {wanted}"))
}

/// The address of a service at the end of which an IP address is missing. A
/// parser for clap.
///
/// # Errors
/// Why it can be none, and what to give.
pub fn service(text: &str) -> Result<String, String> {
    let wanted = "the address of a service to which an IP address can be \
                  added, such as http://ip-api.com/json/";
    check_address(text, wanted)?;
    match text.contains(['?', '#']) {
        true => Err(format!("there is a ? or a # in it; give {wanted}")),
        false => Ok(format!("{}/", text.trim_end_matches('/'))),
    }
}

/// A parser for clap that never repeats what was given: there may be a
/// password in it.
#[derive(Clone, Debug)]
pub struct Discreet<P>(pub P);

impl<P, T> TypedValueParser for Discreet<P>
where
    P: Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let text = value.to_str().ok_or_else(|| "it is no text".to_owned());
        text.and_then(&self.0).map_err(|why| {
            let option = arg.map(|arg| format!(" for '{arg}'"));
            let option = option.unwrap_or_default();
            let wrong = anyhow!("invalid value{option}: {why}\n");
            let kind = ErrorKind::ValueValidation;
            clap::Error::raw(kind, wrong).with_cmd(command)
        })
    }
}

/// Refuses what belongs to no option, without a word of it. A parser for an
/// argument that is not to be given.
///
/// # Errors
/// Always.
pub fn nothing(_: &str) -> Result<String, String> {
    Err("it belongs to no option; name the option before it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_what_are_none() {
        for text in [
            "http://ip-api.com/json/",
            "http://127.0.0.1:80",
            "http://[::1]:8080/a@b",
            "http://x/?a=1#b",
        ] {
            assert_eq!(check_address(text, "x"), Ok(()), "{text}");
        }
        for (text, why) in [
            ("https://x/", "https is not spoken here"),
            ("ip-api.com", "it does not begin with http://"),
            ("", "it does not begin with http://"),
            ("ftp://x/", "it does not begin with http://"),
            ("http://", "it names no host"),
            ("http://:80/", "it names no host"),
            ("http://x:y/", "its port is no number"),
            ("http://x:99999/", "its port is no number"),
            ("http://x/ y", "there is a space in it"),
            ("http://anna:pw@x/", "it says who you are"),
            ("http://anna@x?y", "it says who you are"),
        ] {
            let said = check_address(text, "another").unwrap_err();
            assert!(said.starts_with(why), "{text}: {said}");
            assert!(said.ends_with("; give another"), "{said}");
        }
        assert_eq!(service("http://x/json"), Ok("http://x/json/".to_owned()));
        assert!(service("http://x/json?").is_err());
    }

    #[test]
    fn a_wrong_value_is_not_repeated() {
        let url = Arg::new("url").long("url").value_parser(Discreet(service));
        let other = Arg::new("other").num_args(0..);
        let other = other.value_parser(Discreet(nothing));
        let command = Command::new("x").arg(url).arg(other);
        for args in [
            &["x", "--url", "gehe1m"][..],
            &["x", "--url=gehe1m"],
            &["x", "gehe1m"],
            &["x", "gehe1m", "gehe1m"],
        ] {
            let said = command.clone().try_get_matches_from(args);
            let said = said.unwrap_err().to_string();
            assert!(!said.contains("gehe1m"), "{said}");
            assert!(said.contains("; "), "{said}");
        }
    }
}
