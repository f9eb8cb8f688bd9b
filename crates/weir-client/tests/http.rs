//! The client against servers on this machine: honest, broken and hostile.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use weir_client::{
    Credential, DownloadError, Expected, Fluid, HttpClient, HttpOptions, HttpSource, Mirror, MirrorFailure,
    Url, download, fetch_fluid,
};
use weir_log::{Source, SourceError};
use weir_model::{Digest, Unobserved};
use weir_policy::{Caller, FolderGate, Principal, Request, Verb, authorize};
use weir_registry::content::{self, ContentFolder, Stored};
use weir_registry::{Object, Objects as _};
use weir_testkit::{Misbehaviour, StaticServer};

/// Longer than any machine that can run the tests needs for an answer.
const LONG: Duration = Duration::from_secs(60);

/// A served folder and a client that waits for a server however loaded the machine is.
struct Site {
    folder: TempDir,
    server: StaticServer,
    client: HttpClient,
}

impl Site {
    fn new(files: &[(&str, &[u8])]) -> Self {
        Self::asked_with(patient(), files)
    }

    /// One whose client does not wait: for a server that only lets it wait.
    fn in_a_hurry(files: &[(&str, &[u8])]) -> Self {
        Self::asked_with(impatient(), files)
    }

    fn asked_with(options: HttpOptions, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, bytes).unwrap();
        }
        let server = StaticServer::serve(folder.path()).unwrap();
        Self { folder, server, client: HttpClient::new(options) }
    }

    fn source(&self) -> HttpSource {
        HttpSource::new(self.server.url().parse().unwrap(), self.client.clone())
    }

    fn mirror(&self, path: &str) -> Mirror {
        Mirror::Http(format!("{}{path}", self.server.url()).parse().unwrap())
    }
}

fn patient() -> HttpOptions {
    HttpOptions {
        connect_timeout: LONG,
        response_timeout: LONG,
        stall_timeout: LONG,
        rate_window: LONG,
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(10),
        ..HttpOptions::default()
    }
}

fn impatient() -> HttpOptions {
    HttpOptions {
        connect_timeout: Duration::from_millis(500),
        response_timeout: Duration::from_millis(300),
        stall_timeout: Duration::from_millis(150),
        minimum_rate: 10_000,
        rate_window: Duration::from_millis(400),
        ..patient()
    }
}

/// Bytes without repetition, so that a piece at the wrong place shows.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}

fn read_all(source: &HttpSource, path: &str, offset: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.open(path, offset).unwrap().unwrap().read_to_end(&mut bytes).map(|_| bytes)
}

/// Holds that it ends at all, and does not wait for all that a server would send.
fn promptly<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let value = work();
    assert!(start.elapsed() < LONG, "took {:?}", start.elapsed());
    value
}

#[test]
fn files_are_read_whole_or_from_an_offset_and_connections_are_kept() {
    let bytes = noise(200_000);
    let site = Site::new(&[("pack/aa/x.zst", &bytes), ("checkpoint", b"small"), ("empty", b"")]);
    let source = site.source();

    assert_eq!(source.read("checkpoint", 5), Ok(Some(b"small".to_vec())));
    assert_eq!(source.read("empty", 0), Ok(Some(Vec::new())));
    assert_eq!(source.read("nothing", 5), Ok(None));
    assert!(source.open("nothing", 3).unwrap().is_none());
    for offset in [0, 1, 199_999, 200_000, 300_000] {
        let rest = bytes.get(offset..).unwrap_or_default();
        assert!(read_all(&source, "pack/aa/x.zst", offset as u64).unwrap() == rest, "from {offset}");
    }
    assert_eq!(site.server.connections(), 1);
    let seen = site.server.seen();
    assert!(seen.iter().all(|seen| seen.header("accept-encoding") == Some("identity")));
    assert!(seen.iter().all(|seen| seen.header("user-agent").unwrap().starts_with("weir/")));
}

#[test]
fn many_threads_share_one_client_and_its_connections() {
    let site = Site::new(&[("a", &noise(50_000))]);
    let source = site.source();
    for _ in 0..3 {
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| assert_eq!(read_all(&source, "a", 0).unwrap().len(), 50_000));
            }
        });
    }
    assert!(site.server.connections() <= 14, "{} connections for 36 requests", site.server.connections());
}

#[test]
fn a_refusal_is_an_error_and_never_absence() {
    let site = Site::new(&[("a", b"x")]);
    let source = site.source();
    for status in [400, 401, 403, 429, 500, 503] {
        site.server.misbehave("/a", Misbehaviour::Status(status));
        let what = format!("{}/a", site.server.url());
        let refused = match status {
            401 | 403 => SourceError::Refused { what, status, shown: false },
            status => SourceError::Status { what, status },
        };
        assert_eq!(source.read("a", 9), Err(refused.clone()));
        assert_eq!(source.open("a", 0).map(|_| ()), Err(refused));
    }
    for status in [404, 410] {
        site.server.misbehave("/a", Misbehaviour::Status(status));
        assert_eq!(source.read("a", 9), Ok(None));
    }
}

#[test]
fn a_passing_failure_is_survived() {
    let site = Site::new(&[("a", b"fine")]);
    for passing in [Misbehaviour::Status(503), Misbehaviour::HangUp, Misbehaviour::Truncate(2)] {
        site.server.misbehave_times("/a", 2, passing.clone());
        assert_eq!(site.source().read("a", 9), Ok(Some(b"fine".to_vec())), "{passing:?}");
    }
}

#[test]
fn a_broken_stream_goes_on_where_it_stopped() {
    let bytes = noise(300_000);
    let site = Site::new(&[("a", &bytes)]);
    site.server.misbehave_times("/a", 2, Misbehaviour::Truncate(100_000));
    assert!(read_all(&site.source(), "a", 0).unwrap() == bytes);
    let ranges: Vec<_> =
        site.server.seen().iter().map(|seen| seen.header("range").map(str::to_owned)).collect();
    assert_eq!(ranges, [None, Some("bytes=100000-".into()), Some("bytes=200000-".into())]);

    // A server without ranges sends everything again; what is known already is left out. To the hurried client an
    // honest answer may come too late as well, so it may try often.
    let site = Site::asked_with(HttpOptions { attempts: 1000, ..impatient() }, &[("a", &bytes)]);
    site.server.misbehave_times("/a", 1, Misbehaviour::Stall(150_000));
    let source = site.source();
    let mut stream = source.open("a", 10).unwrap().unwrap();
    site.server.misbehave("/a", Misbehaviour::NoRange);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest == bytes[10..]);
}

#[test]
fn another_range_than_was_asked_for_is_not_taken() {
    let site = Site::new(&[("a", &noise(1000))]);
    site.server.misbehave("/a", Misbehaviour::OtherRange);
    let error = site.source().open("a", 500).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("another range"), "{error}");
}

#[test]
fn a_stream_that_breaks_again_and_again_ends_in_an_error() {
    let site = Site::new(&[("a", &noise(300_000))]);
    site.server.misbehave("/a", Misbehaviour::Truncate(1000));
    let error = promptly(|| read_all(&site.source(), "a", 0)).unwrap_err();
    assert!(error.to_string().contains("closed the connection early"), "{error}");
    assert_eq!(site.server.seen().len(), 4);
}

#[test]
fn a_file_that_changes_its_size_between_two_pieces_is_not_joined() {
    let site = Site::new(&[("a", &noise(300_000))]);
    site.server.misbehave_times("/a", 1, Misbehaviour::Truncate(1000));
    let mut stream = site.source().open("a", 0).unwrap().unwrap();
    site.server.misbehave("/a", Misbehaviour::OtherLength);
    let error = stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("changed its size"), "{error}");
}

#[test]
fn a_slow_or_silent_server_ends_in_a_timeout() {
    let pause = Duration::from_millis(60);
    let site = Site::in_a_hurry(&[("a", &noise(20_000))]);
    for slow in [
        Misbehaviour::Silence,
        Misbehaviour::Stall(10),
        Misbehaviour::Drip(pause),
        Misbehaviour::DripHeader(pause),
    ] {
        site.server.misbehave("/a", slow.clone());
        let timeout = SourceError::Timeout { what: format!("{}/a", site.server.url()) };
        assert_eq!(promptly(|| site.source().read("a", 100_000)), Err(timeout), "{slow:?}");

        let streamed = promptly(|| match site.source().open("a", 0) {
            Ok(stream) => stream.unwrap().read_to_end(&mut Vec::new()).unwrap_err(),
            Err(error) => std::io::Error::new(std::io::ErrorKind::TimedOut, error),
        });
        assert_eq!(streamed.kind(), std::io::ErrorKind::TimedOut, "{slow:?}");
    }
}

#[test]
fn more_than_the_limit_is_refused_announced_or_not() {
    let site = Site::new(&[("a", b"12345")]);
    let too_large = SourceError::TooLarge { what: format!("{}/a", site.server.url()), limit: 5 };
    assert_eq!(site.source().read("a", 5), Ok(Some(b"12345".to_vec())));
    for large in [Misbehaviour::Oversized(1), Misbehaviour::Oversized(50_000_000), Misbehaviour::Endless] {
        site.server.misbehave("/a", large.clone());
        assert_eq!(promptly(|| site.source().read("a", 5)), Err(too_large.clone()), "{large:?}");
    }
    site.server.misbehave("/a", Misbehaviour::Chunked);
    assert_eq!(
        site.source().read("a", 4),
        Err(SourceError::TooLarge { what: format!("{}/a", site.server.url()), limit: 4 })
    );
    assert_eq!(site.source().read("a", 5), Ok(Some(b"12345".to_vec())));
}

#[test]
fn what_is_not_the_plain_file_is_an_error_with_a_reason() {
    let site = Site::new(&[("a", b"12345")]);
    let elsewhere = StaticServer::serve(site.folder.path()).unwrap();
    for (misbehaviour, reason) in [
        (Misbehaviour::Encoding("gzip".into()), "content encoding `gzip`"),
        (Misbehaviour::Garbage, "not valid HTTP"),
        (Misbehaviour::Redirect(format!("{}/a", elsewhere.url())), "redirects to another server"),
        (Misbehaviour::Redirect("/a".into()), "more than 5 times"),
        (Misbehaviour::Redirect("ftp://h/a".into()), "cannot be followed"),
    ] {
        site.server.misbehave("/a", misbehaviour);
        let error = site.source().read("a", 9).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        let error = site.source().open("a", 0).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn an_unreachable_server_is_an_error_that_says_why() {
    let source = |options, url: &str| HttpSource::new(url.parse().unwrap(), HttpClient::new(options));

    // Nobody is given this port by chance, as a free one could be to another test meanwhile.
    let refused = source(patient(), "http://127.0.0.1:1/r").read("a", 9).unwrap_err().to_string();
    assert_eq!(
        refused,
        "`http://127.0.0.1:1/r/a` cannot be read: the connection was refused: no server listens there"
    );
    let nowhere = promptly(|| source(impatient(), "http://nowhere.invalid").read("a", 9)).unwrap_err();
    assert!(
        matches!(&nowhere, SourceError::Timeout { .. }) || nowhere.to_string().contains("DNS"),
        "{nowhere}"
    );
    let plain = Site::new(&[]);
    let tls =
        source(impatient(), &plain.server.url().replace("http://", "https://")).read("a", 9).unwrap_err();
    assert!(matches!(&tls, SourceError::NotReadable { .. } | SourceError::Timeout { .. }), "{tls}");
}

#[test]
fn a_credential_goes_to_its_own_origin_only_and_redirects_within_it() {
    let site = Site::new(&[("a", b"x"), ("b", b"x")]);
    let other = StaticServer::serve(site.folder.path()).unwrap();
    let origin = |server: &StaticServer| server.url().parse::<Url>().unwrap().origin().clone();

    site.server.misbehave("/a", Misbehaviour::Redirect("/b".into()));
    let ours = Credential::bearer(origin(&site.server), "s3cret").unwrap();
    assert!(site.source().with_credential(ours).read("a", 9).unwrap().is_some());
    let authorizations = |server: &StaticServer| -> Vec<_> {
        server.seen().iter().map(|seen| seen.header("authorization").map(str::to_owned)).collect()
    };
    assert_eq!(
        authorizations(&site.server),
        [Some("Bearer s3cret".to_owned()), Some("Bearer s3cret".into())]
    );

    assert_eq!(site.server.connections(), 1, "a redirect does not cost the connection");

    let foreign = Credential::basic(origin(&other), "ann", "s3cret").unwrap();
    assert!(site.source().with_credential(foreign).read("b", 9).unwrap().is_some());
    assert_eq!(authorizations(&site.server)[2], None);
}

#[test]
fn paths_that_leave_the_registry_are_not_asked_for() {
    let site = Site::new(&[]);
    for path in ["", "/a", "../a", "a/./b", "a//b", "a/"] {
        assert!(matches!(site.source().read(path, 9), Err(SourceError::NotReadable { .. })), "{path:?}");
    }
    assert!(site.server.seen().is_empty());
}

#[test]
fn a_large_file_comes_in_chunks_over_few_connections_and_survives_a_broken_one() {
    let bytes = noise(20_000_000);
    let site = Site::new(&[("large", &bytes)]);
    let content = ContentFolder::new(site.folder.path());
    let sha256 = Digest::of(&bytes);
    let caller = Caller::new(Principal::user("ann"), jiff::Timestamp::UNIX_EPOCH);
    let permit = authorize(&FolderGate, Request::of_registry(&caller, Verb::Upload)).unwrap();
    let mut large = fs_err::File::open(site.folder.path().join("large")).unwrap();
    content.put(&permit, Object::File(sha256), &mut large).unwrap();
    let stored = content.list().unwrap().stored;
    let chunk = stored.iter().find_map(|(object, _)| match object {
        Stored::Chunk { digest, .. } => Some(format!("/{}", content::chunk_path(digest))),
        _ => None,
    });
    site.server.misbehave_times(&chunk.unwrap(), 2, Misbehaviour::Truncate(100_000));

    let to = target(site.folder.path());
    let streams = 4.try_into().unwrap();
    let size = bytes.len() as u64;
    let fetched =
        content::fetch_file(&site.source(), &sha256, size, &content::NoChunks, &to, streams, &|_| {})
            .unwrap();
    assert!(fs_err::read(&to).unwrap() == bytes);
    assert_eq!(fetched.transferred, site.server.body_bytes());
    assert!(site.server.connections() <= 4 + 2, "{} connections", site.server.connections());
}

fn expected(bytes: &[u8]) -> Expected {
    Expected { sha256: Digest::of(bytes), size: bytes.len() as u64 }
}

fn target(folder: &Path) -> PathBuf {
    folder.join("partial")
}

#[test]
fn a_download_takes_the_first_mirror_that_is_right_and_names_those_that_are_not() {
    let bytes = noise(150_000);
    let site = Site::new(&[("lying", &bytes), ("good", &bytes), ("long", &bytes), ("moved", &bytes)]);
    let other = StaticServer::serve(site.folder.path()).unwrap();
    site.server.misbehave("/lying", Misbehaviour::WrongBytes);
    site.server.misbehave("/long", Misbehaviour::Oversized(7));
    site.server.misbehave("/moved", Misbehaviour::Redirect(format!("{}/good", other.url())));

    let folder = tempfile::tempdir().unwrap();
    let to = target(folder.path());
    let lying = [site.mirror("/absent"), site.mirror("/lying"), site.mirror("/long")];
    let error = download(&site.client, &lying, &expected(&bytes), &to, &Unobserved).unwrap_err();
    assert!(error.is_integrity());
    let DownloadError::AllFailed { failures } = error else { panic!("{error}") };
    let name = |index: usize| lying[index].to_string();
    let mut inverted = bytes.clone();
    inverted.iter_mut().for_each(|byte| *byte = !*byte);
    assert_eq!(
        failures,
        [
            MirrorFailure::Absent { mirror: name(0) },
            MirrorFailure::WrongBytes {
                mirror: name(1),
                expected: Digest::of(&bytes),
                actual: Digest::of(inverted)
            },
            MirrorFailure::WrongSize { mirror: name(2), expected: 150_000, actual: 150_007 },
        ]
    );

    let mirrors: Vec<_> = lying.into_iter().chain([site.mirror("/moved")]).collect();
    download(&site.client, &mirrors, &expected(&bytes), &to, &Unobserved).unwrap();
    assert!(fs_err::read(&to).unwrap() == bytes);

    // Nothing is asked for again once it is here.
    let asked = site.server.seen().len();
    download(&site.client, &mirrors, &expected(&bytes), &to, &Unobserved).unwrap();
    assert_eq!(site.server.seen().len(), asked);
}

#[test]
fn a_download_resumes_from_the_partial_file_and_across_mirrors() {
    let bytes = noise(400_000);
    let site = Site::new(&[("one", &bytes), ("two", &bytes)]);
    site.server.misbehave("/one", Misbehaviour::Truncate(30_000));
    let folder = tempfile::tempdir().unwrap();
    let to = target(folder.path());
    fs_err::write(&to, &bytes[..100_000]).unwrap();

    let mirrors = [site.mirror("/one"), site.mirror("/two")];
    download(&site.client, &mirrors, &expected(&bytes), &to, &Unobserved).unwrap();
    assert!(fs_err::read(&to).unwrap() == bytes);
    assert_eq!(site.server.body_bytes(), 300_000, "each byte that was missing travelled once");
}

#[test]
fn a_poisoned_partial_file_costs_one_more_request_and_blames_nobody() {
    let bytes = noise(50_000);
    let site = Site::new(&[("one", &bytes)]);
    let folder = tempfile::tempdir().unwrap();
    let to = target(folder.path());
    for poison in [vec![7; 20_000], vec![7; 50_000], vec![7; 60_000]] {
        fs_err::write(&to, poison).unwrap();
        download(&site.client, &[site.mirror("/one")], &expected(&bytes), &to, &Unobserved).unwrap();
        assert!(fs_err::read(&to).unwrap() == bytes);
    }
}

#[test]
fn a_hostile_mirror_never_writes_more_than_was_expected() {
    let bytes = noise(10_000);
    let site = Site::in_a_hurry(&[("a", &bytes)]);
    let folder = tempfile::tempdir().unwrap();
    let to = target(folder.path());
    for hostile in [
        Misbehaviour::Endless,
        Misbehaviour::Oversized(1),
        Misbehaviour::Stall(100),
        Misbehaviour::Silence,
        Misbehaviour::Drip(Duration::from_millis(60)),
        Misbehaviour::Truncate(10),
        Misbehaviour::WrongBytes,
        Misbehaviour::Garbage,
        Misbehaviour::Status(403),
    ] {
        site.server.misbehave("/a", hostile.clone());
        let result =
            promptly(|| download(&site.client, &[site.mirror("/a")], &expected(&bytes), &to, &Unobserved));
        assert!(matches!(result, Err(DownloadError::AllFailed { .. })), "{hostile:?}");
        assert!(fs_err::metadata(&to).unwrap().len() <= 10_000, "{hostile:?}");
    }
    site.server.behave("/a");
    let waiting = HttpClient::new(patient());
    download(&waiting, &[site.mirror("/a")], &expected(&bytes), &to, &Unobserved).unwrap();
}

#[test]
fn a_local_file_is_a_mirror_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let to = target(folder.path());
    fs_err::write(folder.path().join("good"), b"12345").unwrap();
    fs_err::write(folder.path().join("bad"), b"54321").unwrap();
    fs_err::write(&to, b"12").unwrap();
    let mirror = |name: &str| Mirror::parse(name, folder.path()).unwrap();
    let client = HttpClient::default();

    let mirrors = [mirror("absent"), mirror("."), mirror("bad"), mirror("good")];
    download(&client, &mirrors, &expected(b"12345"), &to, &Unobserved).unwrap();
    assert_eq!(fs_err::read(&to).unwrap(), b"12345");

    let error = download(&client, &mirrors[..3], &expected(b"12346"), &to, &Unobserved).unwrap_err();
    assert!(error.is_integrity(), "{error}");
    assert!(matches!(
        download(&client, &[], &expected(b"x"), &to, &Unobserved),
        Err(DownloadError::NoMirror)
    ));
}

#[test]
fn a_fluid_file_that_broke_off_goes_on_where_its_tag_is_the_same_and_else_begins_anew() {
    let bytes = "0123456789".repeat(1000);
    let site = Site::new(&[("a", bytes.as_bytes())]);
    let folder = tempfile::tempdir().unwrap();
    let to = target(folder.path());
    let mirrors = [site.mirror("/a")];
    let fetch = || fetch_fluid(&site.client, &mirrors, 1 << 20, None, &to, &Unobserved);

    // A broken connection.
    site.server.misbehave_times("/a", 1, Misbehaviour::Truncate(4000));
    let Fluid::Fetched(state) = fetch().unwrap() else { panic!("nothing to compare with") };
    assert_eq!(state.sha256, Digest::of(&bytes));
    let asked = site.server.seen().pop().unwrap();
    assert_eq!(asked.header("range"), Some("bytes=4000-"));
    assert_eq!(asked.header("if-range"), state.freshness.etag.as_deref());

    // A call that ended, before the file changed.
    let once = HttpClient::new(HttpOptions { attempts: 1, ..site.client.options().clone() });
    let break_off = || {
        site.server.misbehave_times("/a", 1, Misbehaviour::Truncate(4000));
        fetch_fluid(&once, &mirrors, 1 << 20, None, &to, &Unobserved).unwrap_err();
        assert_eq!(fs_err::metadata(&to).unwrap().len(), 4000);
    };
    break_off();
    let other = "another of another length".repeat(1000);
    fs_err::write(site.folder.path().join("a"), &other).unwrap();
    let Fluid::Fetched(state) = fetch().unwrap() else { panic!("nothing to compare with") };
    assert_eq!(state.sha256, Digest::of(&other));
    assert_eq!(fs_err::read_to_string(&to).unwrap(), other);

    // A server that goes on with another file than it is asked for.
    break_off();
    site.server.misbehave_times("/a", 1, Misbehaviour::IgnoresIfRange);
    fs_err::write(site.folder.path().join("a"), &bytes).unwrap();
    let Fluid::Fetched(state) = fetch().unwrap() else { panic!("nothing to compare with") };
    assert_eq!(state.sha256, Digest::of(&bytes));
}

#[test]
fn a_fluid_file_is_fetched_when_it_changed_and_within_its_bound() {
    let site = Site::new(&[("a", b"one")]);
    let folder = tempfile::tempdir().unwrap();
    let to = target(folder.path());
    let mirrors = [site.mirror("/absent"), site.mirror("/a")];
    let fetch = |limit, since| fetch_fluid(&site.client, &mirrors, limit, since, &to, &Unobserved);

    site.server.misbehave_times("/a", 1, Misbehaviour::Truncate(1));
    let Fluid::Fetched(state) = fetch(10, None).unwrap() else { panic!("nothing to compare with") };
    assert_eq!((state.sha256, state.size), (Digest::of("one"), 3));
    assert_eq!(fs_err::read(&to).unwrap(), b"one");
    assert!(state.freshness.etag.is_some());

    site.server.misbehave("/a", Misbehaviour::Status(304));
    assert_eq!(fetch(10, Some(&state)).unwrap(), Fluid::Unchanged);
    let asked = site.server.seen().pop().unwrap();
    assert_eq!(asked.header("if-none-match"), state.freshness.etag.as_deref());

    for large in [Misbehaviour::Oversized(8), Misbehaviour::Endless] {
        site.server.misbehave("/a", large);
        let error = promptly(|| fetch(10, None)).unwrap_err().to_string();
        assert!(error.contains("larger than the 10 bytes"), "{error}");
    }
    let local = [Mirror::File(site.folder.path().join("a"))];
    let fetched = fetch_fluid(&site.client, &local, 3, Some(&state), &to, &Unobserved).unwrap();
    assert!(matches!(fetched, Fluid::Fetched(state) if state.sha256 == Digest::of("one")));
}
