"""Every command: its name, the function that it calls below `digest.cli`, and one line for `--help`.

The functions are imported only when their command is called, so that each command starts fast.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """One command, such as `Command("fetch", "editions.send:fetch", "Fetch the sources that are due.")`."""

    name: str
    place: str
    summary: str


COMMANDS = (
    Command(
        "demo",
        "setup:demo",
        "Run everything on sample data: a newsroom, readers, an edition to read and one to shape.",
    ),
    Command("init", "init:init", "Write config.toml, from your site if you name it; create the database."),
    Command("fetch", "editions.send:fetch", "Fetch the sources that are due."),
    Command("preview", "editions.preview:preview", "Write the next edition as .html, .txt and .eml files."),
    Command("preflight", "editions.preview:preflight", "Check the next edition; exit 1 if a check fails."),
    Command("send", "editions.send:send", "Fetch, compile and deliver what is due, then exit: for cron."),
    Command("run", "serve:run", "Run the daemon: scheduler, web pages and delivery in one process."),
    Command(
        "worker",
        "serve:worker",
        "Share the work with other processes and machines: fetch, compile and deliver, without pages.",
    ),
    Command("web", "serve:web", "Serve the web pages only."),
    Command("status", "editions.audit:status", "Show the progress of each edition, and who works on it."),
    Command("audit", "editions.audit:audit", "Prove that every delivery is accounted for; exit 1 if not."),
    Command("why", "editions.audit:why", "Explain why a reader has an article, or why not."),
    Command(
        "resume", "editions.resume:resume", "Resume paused editions, or decide about a restored database."
    ),
    Command("pause", "editions.control:pause", "Pause the delivery of editions until `digest resume`."),
    Command("hold", "editions.control:hold", "Hold the next edition: it is not sent at its deadline."),
    Command(
        "release",
        "editions.control:release",
        "Release a held edition: it is sent at its deadline, or by the next run where that has passed.",
    ),
    Command("schedule", "editions.audit:schedule", "Show when the next editions are due."),
    Command(
        "receive",
        "inbound.receive:receive",
        "Store one message from standard input; the daemon or the next `digest send` acts on it.",
    ),
    Command(
        "bounces", "inbound.bounces:bounces", "Show bounces and complaints by receiver, reason and edition."
    ),
    Command("embed", "embed:embed", "Print the sign-up form for your own site: plain HTML, no script."),
    Command("doctor", "doctor:doctor", "Check the whole set-up; exit 1 if something is wrong."),
    Command("dkim", "dkim:dkim", "Create a DKIM key, or show the DNS records of the configured keys."),
    Command(
        "move",
        "move:move",
        "Move everything from SQLite to an empty PostgreSQL database, compared row by row.",
    ),
    Command("catch", "setup:catch", "Run the mail catcher: SMTP in, pages out, messages as files."),
)
ARTICLES = (
    Command("add", "articles.articles:add", "Add web pages, saved pages, Markdown or plain text."),
    Command("list", "articles.articles:list_", "List articles, newest first."),
    Command("show", "articles.articles:show", "Show an article with its text."),
    Command("hide", "articles.articles:hide", "Keep an article out of future editions."),
    Command("unhide", "articles.articles:unhide", "Allow a hidden or held-back article in future editions."),
    Command("pin", "articles.articles:pin", "Put an article first in future editions."),
    Command("unpin", "articles.articles:unpin", "Return a pinned article to its usual place."),
    Command(
        "withdraw",
        "articles.corrections:withdraw",
        "Remove an article from the archive, the feeds and all unsent messages.",
    ),
    Command("correct", "articles.corrections:correct", "Send a correction to everyone who has an article."),
    Command(
        "breaking",
        "articles.breaking:breaking",
        "Send one article at once to everyone who chose breaking news.",
    ),
    Command("split", "articles.articles:split", "Separate an article from the story it was folded into."),
    Command("related", "articles.articles:related", "List the articles most similar to one."),
    Command("prune", "articles.articles:prune", "Remove old articles that no edition contains."),
)
SUBSCRIBERS = (
    Command("import", "readers.importing:import_", "Import readers from a CSV file."),
    Command("add", "readers.subscribers:add", "Add one reader."),
    Command("show", "readers.subscribers:show", "Show everything that is stored about a reader."),
    Command("set", "readers.requests:set_", "Set any choice of a reader who asks for it."),
    Command("move", "readers.requests:move", "Move a reader to another address, and notify the old one."),
    Command("leave", "readers.requests:leave", "End a reader's subscription, or all of them."),
    Command("resume", "readers.requests:resume", "End a reader's pause."),
    Command("suppress", "readers.requests:suppress", "Never write to an address again."),
    Command("unsuppress", "readers.requests:unsuppress", "Lift the ban on an address."),
    Command("link", "readers.requests:link", "Mail a reader the one-hour link to their own page."),
    Command("erase", "readers.subscribers:erase", "Erase a reader; a keyed hash keeps imports out."),
    Command("list", "readers.subscribers:list_", "List the readers of one digest, or of all."),
    Command("export", "readers.subscribers:export", "Write the readers as CSV that `import` reads back."),
)
EDITORS = (
    Command("add", "editors:add", "Give somebody access to the desk, or change their role or password."),
    Command("remove", "editors:remove", "End an editor's access at once; their activity stays recorded."),
    Command("list", "editors:list_", "List everybody who has access to the desk."),
)
TOKENS = (
    Command("make", "tokens:make", "Make a token for a program and print it; it is shown this once."),
    Command("list", "tokens:list_", "List the tokens with what each may do and when it was last used."),
    Command("revoke", "tokens:revoke", "Revoke a token at once: it opens nothing any more."),
)
SOURCES = (
    Command("list", "articles.sources:list_", "List the sources and their health."),
    Command("add", "articles.sources:add", "Add a source that lives in the database, as the desk does."),
    Command("change", "articles.sources:change", "Change the settings of a source in the database."),
    Command("pause", "articles.sources:pause", "Stop fetching a source until `digest sources resume`."),
    Command("resume", "articles.sources:resume", "Fetch a paused source again."),
    Command(
        "remove", "articles.sources:remove", "Remove a source that lives in the database; its articles stay."
    ),
    Command("import", "articles.sources:import_", "Add the feeds of an OPML file to config.toml."),
    Command("export", "articles.sources:export", "Write the sources as OPML, for other feed readers."),
)
LETTERS = (
    Command("list", "inbound.letters:list_", "List letters to the editors, new ones first."),
    Command("show", "inbound.letters:show", "Show one letter."),
    Command(
        "answer",
        "inbound.letters:answer",
        "Answer a letter with the text on standard input; the next run mails it.",
    ),
    Command("done", "inbound.letters:done", "Mark a letter as done."),
)
GROUPS = (
    ("articles", "The articles that editions are made of.", ARTICLES),
    ("subscribers", "The readers and their subscriptions.", SUBSCRIBERS),
    ("editors", "The editors who may open the desk.", EDITORS),
    ("letters", "Readers' letters to the editors.", LETTERS),
    ("tokens", "The tokens of the API.", TOKENS),
    ("sources", "The sources of articles, with their health.", SOURCES),
)
