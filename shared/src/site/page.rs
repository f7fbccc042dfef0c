//! Pages of HTML with titles and links.

/// How many pages there are, from `/pages/1` on.
pub const PAGES: usize = TERMS.len();

/// What the pages are about, and what they say.
const TERMS: [(&str, &str); 24] = [
    ("Process", "A program that runs, with a memory of its own."),
    ("Thread", "What runs in a process; its memory is the process's."),
    ("Coroutine", "A function that can stop and go on where it stopped."),
    ("Scheduler", "What decides who has a core next."),
    ("Time slice", "How long one may run before another has its turn."),
    ("Context switch", "One stops, and another goes on where it stopped."),
    ("Concurrency", "Several have begun and none has ended."),
    ("Parallelism", "Several run in the same moment, each on a core."),
    ("Fork", "A process makes a copy of itself."),
    ("Zombie", "A process that has ended and was not waited for."),
    ("Daemon", "A process in the background, which ends with its parent."),
    ("Pipe", "Bytes go in at one end and come out at the other."),
    ("Queue", "What goes in first comes out first."),
    ("Pool", "A fixed number of workers for any number of jobs."),
    ("Lock", "One at a time may hold it."),
    ("Semaphore", "So many at a time may hold a permit."),
    ("Event", "A flag that many can wait for."),
    ("Race condition", "What comes out depends on who comes first."),
    ("Deadlock", "Each waits for another, and none can go on."),
    ("Starvation", "One waits for ever while others have their turn."),
    ("Global interpreter lock", "One thread at a time runs bytecode."),
    ("Future", "A result that is not there yet."),
    ("Callback", "What is called when something has happened."),
    ("Event loop", "It waits for many things, and calls whoever waits."),
];

/// The list of all pages.
pub(super) fn index() -> String {
    let links = TERMS.iter().enumerate().map(|(n, (title, _))| {
        let n = n + 1;
        format!("<li><a href=\"/pages/{n}\">{title}</a></li>\n")
    });
    html("Pages", &format!("<ul>\n{}</ul>\n", links.collect::<String>()))
}

/// The page `name`, a number from 1 on.
pub(super) fn page(name: &str) -> Option<String> {
    let n = name.parse::<usize>().ok()?;
    let (title, text) = TERMS.get(n.checked_sub(1)?)?;
    // Pages of different lengths, the same every time.
    let text = format!("<p>{text}</p>\n").repeat(1 + n * 7 % 11);
    let next = n % PAGES + 1;
    Some(html(
        title,
        &format!(
            "{text}<p><a href=\"/pages/{next}\">{}</a>, \
             <a href=\"/pages/\">all pages</a></p>\n",
            TERMS[next - 1].0
        ),
    ))
}

/// The page from which everything can be reached.
pub(super) fn home() -> String {
    let paths = [
        ("/pages/", "pages"),
        ("/gallery/", "a gallery of pictures"),
        ("/odd/", "broken HTML, and pictures with odd addresses"),
        ("/json/8.8.8.8", "where an address is"),
        ("/stats", "what was asked for"),
        ("/robots.txt", "what a robot is not to fetch"),
    ];
    let links = paths.map(|(path, what)| {
        format!("<li><a href=\"{path}\">{what}</a></li>\n")
    });
    html(
        "A web site on this machine",
        &format!("<ul>\n{}</ul>\n", links.concat()),
    )
}

pub(super) fn html(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n\
         <meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n<body>\n\
         <h1>{title}</h1>\n{body}</body>\n</html>\n"
    )
}
