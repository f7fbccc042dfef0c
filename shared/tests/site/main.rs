//! The local site, and the client that asks it.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runner::{Case, Outcome};
use serde_json::Value;
use shared::client::{AsyncClient, Client, Failure, Limits, Reply};
use shared::process::{Process, Queue};
use shared::site::{
    Counted, DeadEnd, Fault, PAGES, PER_LIST, PICTURES, Plan, Site,
};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[macro_use]
#[path = "../process/runner.rs"]
mod runner;

const CASES: &[Case] = cases!("site":
    an_address_is_always_at_the_same_place,
    addresses_that_are_nowhere,
    pages_have_titles_and_links,
    pictures_are_in_lists,
    a_robot_is_counted_where_it_is_not_to_be,
    each_fault_is_a_failure_of_its_own,
    faults_by_path_end,
    nobody_listens_at_a_dead_end,
    requests_that_meet,
    only_some_meet,
    only_where_it_may_go,
    odd_names_have_pictures,
    limits_of_the_client,
    sent_on_to_https,
    other_methods_are_refused,
    a_thousand_at_once,
    one_that_has_ended_tells_no_counts,
    gone_with_its_parent,
    control_c_is_for_its_parent,
    the_program_says_what_is_wrong,
    the_program_ends_with_its_input,
);

fn main() -> ExitCode {
    runner::main(&[CASES])
}

/// Short, since some faults take all of it.
const LIMITS: Limits =
    Limits { time: Duration::from_millis(400), bytes: 1 << 20, redirects: 5 };

fn client() -> Client {
    Client::new(Limits { time: Duration::from_secs(20), ..LIMITS })
}

/// What coroutines are told, by the thread that has one.
fn awaited(limits: Limits, url: &str) -> Result<Reply, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(AsyncClient::new(limits).get(url))
}

fn json(
    client: &Client,
    url: &str,
) -> Result<Value, Box<dyn std::error::Error>> {
    Ok(serde_json::from_slice(&client.get(url)?.body)?)
}

fn text(
    client: &Client,
    url: &str,
) -> Result<String, Box<dyn std::error::Error>> {
    Ok(String::from_utf8(client.get(url)?.body)?)
}

fn an_address_is_always_at_the_same_place() -> Outcome {
    let (one, other) = (Site::start(Plan::new())?, Site::start(Plan::new())?);
    let client = client();
    let mut cities = HashSet::new();
    for n in 1..=60 {
        let path = format!("/json/93.184.{n}.34");
        let answer = json(&client, &(one.url() + &path))?;
        assert_eq!(answer, json(&client, &(other.url() + &path))?);
        assert_eq!(answer["status"], "success");
        assert_eq!(answer["query"], format!("93.184.{n}.34"));
        for name in ["country", "countryCode", "city", "isp", "as"] {
            assert!(answer[name].is_string(), "{name} in {answer}");
        }
        assert!(answer["lat"].is_number() && answer["lon"].is_number());
        cities.insert(answer["city"].to_string());
    }
    assert!(cities.len() > 10, "{cities:?}");
    let six = json(&client, &(one.url() + "/json/2606:4700::1111"))?;
    assert_eq!(six["status"], "success");
    Ok(())
}

fn addresses_that_are_nowhere() -> Outcome {
    let site = Site::start(Plan::new())?;
    let client = client();
    for (address, message) in [
        ("10.0.0.1", "private range"),
        ("172.31.255.255", "private range"),
        ("192.168.7.7", "private range"),
        ("fd00::1", "private range"),
        ("127.0.0.1", "reserved range"),
        ("0.0.0.0", "reserved range"),
        ("100.64.0.1", "reserved range"),
        ("169.254.1.1", "reserved range"),
        ("192.0.2.1", "reserved range"),
        ("224.0.0.1", "reserved range"),
        ("255.255.255.255", "reserved range"),
        ("::1", "reserved range"),
        ("2001:db8::1", "reserved range"),
        ("fe80::1", "reserved range"),
        ("256.1.1.1", "invalid query"),
        ("1.2.3", "invalid query"),
        ("example.org", "invalid query"),
        ("", "invalid query"),
    ] {
        let answer = json(&client, &format!("{}/json/{address}", site.url()))?;
        let expected = serde_json::json!(
            {"status": "fail", "message": message, "query": address}
        );
        assert_eq!(answer, expected);
    }
    Ok(())
}

fn pages_have_titles_and_links() -> Outcome {
    let site = Site::start(Plan::new())?;
    let client = client();
    let list = text(&client, &(site.url() + "/pages/"))?;
    let mut titles = HashSet::new();
    let mut sizes = HashSet::new();
    for n in 1..=PAGES {
        assert!(list.contains(&format!("href=\"/pages/{n}\"")), "{n}");
        let page = text(&client, &format!("{}/pages/{n}", site.url()))?;
        let title = page.split_once("<title>").ok_or("no title")?.1;
        titles.insert(title.split_once('<').ok_or("no end")?.0.to_owned());
        sizes.insert(page.len());
        let next = n % PAGES + 1;
        assert!(page.contains(&format!("href=\"/pages/{next}\"")));
    }
    assert_eq!(titles.len(), PAGES);
    assert!(sizes.len() > PAGES / 2, "{sizes:?}");
    for path in ["/pages/0", "/pages/25", "/pages/x", "/page", "//", "/json"] {
        let missing = client.get(&(site.url() + path));
        let missing = missing.err().map(|failure| failure.to_string());
        assert_eq!(missing.as_deref(), Some("404 Not Found"), "{path}");
    }
    Ok(())
}

fn pictures_are_in_lists() -> Outcome {
    let site = Site::start(Plan::new())?;
    let client = client();
    let mut contents = HashSet::new();
    for list in 1..=PICTURES.div_ceil(PER_LIST) {
        let path = format!("{}/gallery/list/{list}", site.url());
        let links = text(&client, &path)?;
        assert_eq!(links.matches("/gallery/detail/").count(), PER_LIST);
        let last = list * PER_LIST == PICTURES;
        assert_eq!(!links.contains("rel=\"next\""), last, "{list}");
    }
    for n in 1..=PICTURES {
        let page = format!("{}/gallery/detail/{n}", site.url());
        let image = format!("/gallery/image/{n}.png");
        assert!(text(&client, &page)?.contains(&image), "{n}");
        let file = client.get(&(site.url() + &image))?;
        assert_eq!(file.kind, "image/png");
        let mut reader =
            png::Decoder::new(std::io::Cursor::new(&file.body)).read_info()?;
        let mut pixels = vec![0; 160 * 120 * 3];
        let frame = reader.next_frame(&mut pixels)?;
        assert_eq!((frame.width, frame.height), (160, 120));
        contents.insert(file.body);
    }
    assert!(contents.len() < PICTURES, "some pictures are there twice");
    assert!(contents.len() > PICTURES * 3 / 4);
    Ok(())
}

fn a_robot_is_counted_where_it_is_not_to_be() -> Outcome {
    let site = Site::start(Plan::new())?;
    let client = client();
    let robots = text(&client, &(site.url() + "/robots.txt"))?;
    assert!(robots.contains("Disallow: /gallery/private/"), "{robots}");
    let stats = |client| json(client, &(site.url() + "/stats"));
    assert_eq!(stats(&client)?["disallowed"], 0);
    client.get(&(site.url() + "/gallery/private/1"))?;
    assert_eq!(stats(&client)?["disallowed"], 1);
    assert_eq!(stats(&client)?["requests"], 2);
    assert_eq!(stats(&client)?["answers"]["200"], 2);
    Ok(())
}

fn each_fault_is_a_failure_of_its_own() -> Outcome {
    let site = Site::start(Plan::new().retry_after(7))?;
    let client = Client::new(LIMITS);
    let status = |status, reason: &str, retry_after| {
        let reason = reason.to_owned();
        Some(Failure::Status { status, reason, retry_after })
    };
    for fault in Fault::all() {
        let url = format!("{}/json/9.9.9.9?fault={fault}", site.url());
        let answer = client.get(&url);
        let expected = match fault {
            Fault::NotFound => status(404, "Not Found", None),
            Fault::TooMany => status(429, "Too Many Requests", Some(7)),
            Fault::Failed => status(500, "Internal Server Error", None),
            Fault::Silent | Fault::Length | Fault::Drip => {
                Some(Failure::Timeout)
            }
            Fault::Closed | Fault::Cut => Some(Failure::Cut),
            Fault::Redirect => Some(Failure::Redirects),
            Fault::Huge => Some(Failure::TooLarge(LIMITS.bytes)),
            Fault::Garbled | Fault::Html | Fault::Bare => None,
        };
        let failure = answer.as_ref().err().cloned();
        assert_eq!(failure, expected, "{fault}");
        assert_eq!(awaited(LIMITS, &url), answer, "{fault}");
        if let Ok(answer) = answer {
            let json: Result<Value, _> = serde_json::from_slice(&answer.body);
            let bare = serde_json::json!({"status": "success"});
            match fault {
                Fault::Bare => assert_eq!(json?, bare),
                _ => assert!(json.is_err(), "{fault}"),
            }
            let html = answer.kind.starts_with("text/html");
            assert_eq!(html, fault == Fault::Html);
        }
        assert_eq!(fault.to_string().parse(), Ok(fault));
    }
    // It is as well as before.
    assert_eq!(
        json(&client, &(site.url() + "/json/9.9.9.9"))?["status"],
        "success"
    );
    Ok(())
}

fn faults_by_path_end() -> Outcome {
    let plan = Plan::new()
        .fault_times("/pages/2", Fault::TooMany, 2)
        .fault("/pages/3", Fault::Failed);
    let site = Site::start(plan)?;
    let client = client();
    let of = |path: &str| client.get(&(site.url() + path)).is_ok();
    let two = [(); 4].map(|()| of("/pages/2"));
    assert_eq!(two, [false, false, true, true]);
    let three = [(); 3].map(|()| of("/pages/3?x=1"));
    assert_eq!(three, [false; 3]);
    assert!(of("/pages/4"));
    Ok(())
}

fn nobody_listens_at_a_dead_end() -> Outcome {
    let nobody = DeadEnd::new()?;
    let address = nobody.url().replace("http://", "");
    // Nobody else gets it, and nobody answers.
    assert!(TcpListener::bind(address).is_err());
    assert_eq!(client().get(&nobody.url()).err(), Some(Failure::Refused));
    Ok(())
}

fn requests_that_meet() -> Outcome {
    let site = Site::start(Plan::new().meet(7))?;
    let (client, url) = (client(), format!("{}/json/9.9.9.9", site.url()));
    let alone = Site::start(Plan::new().meet(2))?;
    let start = Instant::now();
    // The last one comes when all the others have been waiting for it.
    thread::scope(|scope| {
        for n in 0..7 {
            let (client, url, site) = (&client, &url, site.url());
            scope.spawn(move || {
                while n == 6 && peak(client, &site) < 6 {
                    thread::sleep(Duration::from_millis(1));
                }
                assert!(client.get(url).is_ok());
            });
        }
    });
    assert_eq!(peak(&client, &site.url()), 7);
    assert!(start.elapsed() < Duration::from_secs(5), "they waited on");
    client.get(&url)?; // and nobody waits for it
    assert!(start.elapsed() < Duration::from_secs(5));
    // Whoever waits in vain does so once.
    let start = Instant::now();
    for _ in 0..3 {
        client.get(&format!("{}/json/9.9.9.9", alone.url()))?;
    }
    let waited = start.elapsed().as_secs();
    assert!((5..10).contains(&waited), "{waited} s");
    Ok(())
}

fn only_some_meet() -> Outcome {
    let plan = Plan::new().meet_below("/gallery/image/", 2);
    let site = Site::start(plan)?;
    let client = client();
    let start = Instant::now();
    client.get(&(site.url() + "/gallery/"))?;
    assert!(start.elapsed() < Duration::from_secs(5), "nobody waits there");
    thread::scope(|scope| {
        // Another one is in flight, elsewhere.
        let other = site.url() + "/pages/1?ms=6000";
        let other = scope.spawn({
            let client = &client;
            move || client.get(&other).map(drop)
        });
        let stats = site.url() + "/stats";
        let arrived = || json(&client, &stats).expect("it counts");
        while arrived()["requests"] != 2 {
            thread::yield_now();
        }
        client.get(&(site.url() + "/gallery/image/1.png"))?;
        other.join().expect("it does not panic")
    })?;
    assert!(start.elapsed() >= Duration::from_secs(5), "it waits in vain");
    Ok(())
}

fn only_where_it_may_go() -> Outcome {
    let site = Site::start(Plan::new())?;
    let url = site.url() + "/pages/1?fault=redirect";
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guided = |word: &'static str| {
        runtime.block_on(async {
            let may_go = move |url: &str| !url.contains(word);
            AsyncClient::guided(LIMITS, "guided", may_go).get(&url).await
        })
    };
    let astray = format!("{}&hop=2", url);
    assert_eq!(guided("hop=2").err(), Some(Failure::Astray(astray)));
    assert_eq!(guided("hop=9").err(), Some(Failure::Redirects));
    let stats = json(&client(), &(site.url() + "/stats"))?;
    assert_eq!(stats["requests"], 2 + 6);
    Ok(())
}

fn odd_names_have_pictures() -> Outcome {
    let site = Site::start(Plan::new())?;
    let client = client();
    let page = client.get(&(site.url() + "/odd/"))?;
    assert!(String::from_utf8(page.body)?.contains("..%2F..%2Foutside.png"));
    let mut found = HashSet::new();
    for name in ["plain.png", "..%2F..%2Foutside.png", ".hidden.png", "x"] {
        let reply = client.get(&format!("{}/odd/image/{name}", site.url()))?;
        assert_eq!(reply.kind, "image/png");
        assert!(found.insert(reply.body), "{name} has one of its own");
    }
    let first = client.get(&(site.url() + "/gallery/image/1.png"))?;
    assert_eq!(Some(&*first.body), shared::site::picture(1));
    assert_eq!(shared::site::picture(0), None);
    assert_eq!(shared::site::picture(PICTURES + 1), None);
    Ok(())
}

fn peak(client: &Client, site: &str) -> u64 {
    let stats = json(client, &format!("{site}/stats"));
    stats.expect("it tells them")["in_flight_peak"].as_u64().unwrap_or(0)
}

fn limits_of_the_client() -> Outcome {
    let site = Site::start(Plan::new())?;
    let small = Limits { bytes: 100, ..LIMITS };
    let fails = |url: &str, expected: Failure| {
        let told = Client::new(small).get(url).err();
        assert_eq!(told, Some(expected), "{url}");
        assert_eq!(awaited(small, url).err(), told, "{url}");
    };
    fails(&(site.url() + "/pages/1"), Failure::TooLarge(100));
    fails(&(site.url() + "/json/10.0.0.1?ms=30000"), Failure::Timeout);
    for url in
        ["https://127.0.0.1/", "ftp://127.0.0.1/", "127.0.0.1", "", "http://"]
    {
        fails(url, Failure::Url(url.to_owned()));
    }
    let url = site.url();
    site.stop();
    fails(&url, Failure::Refused);
    Ok(())
}

fn sent_on_to_https() -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let server = thread::spawn(move || -> std::io::Result<()> {
        for _ in 0..2 {
            let (mut socket, _) = listener.accept()?;
            let mut lines = BufReader::new(socket.try_clone()?).lines();
            while lines.next().transpose()?.is_some_and(|at| !at.is_empty()) {}
            write!(
                socket,
                "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\n\
                 Content-Length: 0\r\n\r\n"
            )?;
        }
        Ok(())
    });
    let failure = client().get(&url).err();
    assert_eq!(failure, Some(Failure::Https));
    assert_eq!(awaited(LIMITS, &url).err(), Some(Failure::Https));
    assert!(failure.is_some_and(|why| why.to_string().contains("https")));
    server.join().map_err(|_| "it panicked")??;
    Ok(())
}

fn other_methods_are_refused() -> Outcome {
    let site = Site::start(Plan::new())?;
    let mut socket = TcpStream::connect(site.address())?;
    write!(
        socket,
        "POST /pages/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    // What is no HTTP at all is answered, and does no harm.
    let mut socket = TcpStream::connect(site.address())?;
    writeln!(socket, "\u{0}\u{1} hello\r\n\r\n")?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    assert!(answer.is_empty() || answer.contains("400"), "{answer}");
    client().get(&(site.url() + "/"))?;
    Ok(())
}

fn a_thousand_at_once() -> Outcome {
    const MANY: usize = 1000;
    // Each waits longer than all of them need to arrive.
    let site = Site::start(Plan::new().latency(Duration::from_secs(3)))?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let start = Instant::now();
    let mut sockets = Vec::new();
    for n in 0..MANY {
        let mut socket = TcpStream::connect(site.address())?;
        write!(
            socket,
            "GET /json/8.8.{}.{} HTTP/1.0\r\n\r\n",
            n / 250,
            n % 250
        )?;
        sockets.push(socket);
    }
    for mut socket in sockets {
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        assert!(answer.contains("\"status\":\"success\""), "{answer}");
    }
    let took = start.elapsed();
    let counted = Counted { requests: MANY, at_once: MANY };
    assert_eq!(site.counted()?, counted, "within {took:?}");
    assert_eq!(site.counted()?, counted, "asking counts for nothing");
    Ok(())
}

fn one_that_has_ended_tells_no_counts() -> Outcome {
    let site = Site::start(Plan::new())?;
    assert_eq!(site.counted()?, Counted { requests: 0, at_once: 0 });
    site.stop();
    let told = site.counted().map_err(anyhow::Error::new);
    let told = format!("{:#}", told.expect_err("it has ended"));
    let (what, why) = told.split_once(": ").expect("of two parts");
    assert!(what.starts_with("cannot ask the local site"), "{told}");
    assert!(why.starts_with("Connection refused"), "{told}");
    Ok(())
}

fn gone_with_its_parent() -> Outcome {
    let told = Queue::bounded(2)?;
    let parent = Process::spawn(|| {
        let site = Site::start(Plan::new())?;
        told.put(&site.address())?;
        loop {
            thread::park();
        }
        #[expect(unreachable_code, reason = "it tells what `?` makes")]
        anyhow::Ok(())
    })?;
    let address = told.get()?;
    TcpStream::connect(address)?;
    parent.kill()?;
    parent.wait();
    let start = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10), "it lives on");
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_site"))
}

fn control_c_is_for_its_parent() -> Outcome {
    let site = Site::start(Plan::new())?;
    // It has begun, or it would not answer.
    client().get(&(site.url() + "/"))?;
    kill(Pid::from_raw(site.pid() as i32), Signal::SIGINT)?;
    client().get(&(site.url() + "/"))?;
    Ok(())
}

fn the_program_says_what_is_wrong() -> Outcome {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for (args, code, word) in [
        (["--listen", &address], 1, "already in use"),
        (["--listen", &address], 1, "choose another by --listen"),
        (["--listen", "nowhere"], 2, "--listen"),
        (["--latency", "-1"], 2, "0.3"),
        (["--fault", "404"], 2, "404@/pages/3"),
        (["--fault", "nope@/x"], 2, "garbled"),
        (["--fault", "404xy@/x"], 2, "no number"),
    ] {
        let ended = program().args(args).output()?;
        let said = String::from_utf8(ended.stderr)?;
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
    }
    Ok(())
}

fn the_program_ends_with_its_input() -> Outcome {
    let mut running = program()
        .args(["--listen", "127.0.0.1:0", "--until-eof"])
        .args(["--fault", "500x1@/pages/1", "--latency", "0.001"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let stdout = running.stdout.take().ok_or("its output is a pipe")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let page = line.trim_end().to_owned() + "/pages/1";
    let client = client();
    assert!(client.get(&page).is_err());
    assert!(client.get(&page).is_ok());
    drop(running.stdin.take());
    assert!(running.wait()?.success());
    Ok(())
}
