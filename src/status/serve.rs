//! The server of the pages: read-only, small, and deaf to names that are not its own.

use super::board::Board;
use super::lang::Lang;
use super::{Remembered, SiteSheet, callback, metrics, pages};
use crate::article::Id;
use crate::poll::{self, Pipeline};
use crate::store::StoreError;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{error, info};

/// Connections at once, and how long one may last.
const CONNECTIONS: usize = 64;
const LONGEST: Duration = Duration::from_secs(300);
/// For a request's head to come in.
const HEAD: Duration = Duration::from_secs(15);
/// Before a port that is taken is asked for again.
const AGAIN: Duration = Duration::from_secs(30);

/// Nothing from elsewhere, no script, no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Below it hubs come, through the operator's proxy, by whatever name; a token stands in for the name.
const HUBS: &str = "/websub/";

/// Serves a board, on the address that the configuration names.
pub struct Server {
    board: Arc<Board>,
    listen: Option<SocketAddr>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    pub fn new(board: Arc<Board>) -> Server {
        Server { board, listen: None, task: None }
    }

    /// Moves to another address, or to none; where it is there already nothing happens.
    pub async fn follow(&mut self, listen: Option<SocketAddr>) {
        if self.listen == listen {
            return;
        }
        self.stop().await;
        self.listen = listen;
        self.task = listen.map(|listen| tokio::spawn(serve(self.board.clone(), listen)));
    }

    pub async fn stop(&mut self) {
        let Some(task) = self.task.take() else { return };
        task.abort();
        // it was cancelled, or had panicked: either way it is over
        drop(task.await);
    }
}

async fn serve(board: Arc<Board>, listen: SocketAddr) {
    let listener = bound(listen).await;
    match listener.local_addr() {
        Ok(at) => info!("status pages on http://{at}/"),
        Err(why) => error!("status pages: {why}"),
    }
    let router = router(board, listen.ip());
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        // never closed, so there is always a slot to wait for
        let slot = slots.clone().acquire_owned().await;
        tokio::select! {
            stream = listener.accept() => match stream {
                Ok((stream, _)) => {
                    let connection = connection(stream, router.clone());
                    open.spawn(async move {
                        let _slot = slot;
                        connection.await;
                    });
                }
                // the process has no descriptor left, or the client has gone
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

/// Asked for until it is had: what took the port may go.
async fn bound(listen: SocketAddr) -> TcpListener {
    let mut said = false;
    loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => return listener,
            Err(why) if !said => {
                said = true;
                error!(
                    "no status pages: {listen} cannot be listened on ({why}); all else goes on, and it is tried again. \
                    [status] listen in the configuration names another address, or \"\" for none"
                );
            }
            Err(_) => {}
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(32 * 1024).half_close(false);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // a client that goes away or takes too long is its own affair
    drop(tokio::time::timeout(LONGEST, served).await);
}

fn router(board: Arc<Board>, listen: IpAddr) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .route("/style.css", get(style))
        .route(&format!("{HUBS}{{token}}"), get(callback::asked).post(callback::brought))
        .route("/json/sites/{id}", get(site_sheet))
        .route("/json/remembered/{site}/{id}", get(remembered));
    for lang in Lang::ALL {
        for (path, make) in pages::PAGES {
            let handler = move |State(board): State<Arc<Board>>, uri: Uri| pages::answer(board, lang, make, uri);
            router = router.route(&lang.at(path), get(handler));
        }
    }
    let nothing = |State(board): State<Arc<Board>>, uri: Uri| {
        let lang = if uri.path().starts_with("/en/") { Lang::En } else { Lang::Vi };
        pages::answer(board, lang, pages::not_found, uri)
    };
    router.fallback(nothing).layer(middleware::from_fn_with_state(listen, guard)).with_state(board)
}

async fn ready(State(board): State<Arc<Board>>) -> Response {
    match board.pipeline() {
        Some(pipeline) if pipeline.store.poisoned().is_none() => "ready\n".into_response(),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store failed and is being opened again\n").into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, "the store is not open\n").into_response(),
    }
}

async fn measured(State(board): State<Arc<Board>>) -> Response {
    let made = tokio::task::spawn_blocking(move || match board.pipeline() {
        Some(pipeline) => metrics::metrics(&board, &pipeline).map_err(|why| why.to_string()),
        None => Ok(metrics::closed(&board)),
    });
    match made.await.map_err(|why| why.to_string()).and_then(|made| made) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

/// For `diemtin sites ID` of a store that this daemon holds.
async fn site_sheet(State(board): State<Arc<Board>>, Path(id): Path<String>) -> Response {
    told(board, move |pipeline| {
        let paused = poll::short_of_room(&pipeline.config);
        SiteSheet::of(&pipeline.config, &pipeline.store, &id, paused.as_deref())
    })
    .await
}

/// For `diemtin explain`. A page of no configured site is asked for as one of `-`.
async fn remembered(State(board): State<Arc<Board>>, Path((site, id)): Path<(String, String)>) -> Response {
    told(board, move |pipeline| {
        let id = Id::from_name(&id);
        id.map(|id| Remembered::of(&pipeline.config, &pipeline.store, &site, &id)).transpose()
    })
    .await
}

/// As JSON, with the path of the store that it is of.
async fn told<T: Serialize>(
    board: Arc<Board>,
    look: impl FnOnce(&Pipeline) -> Result<Option<T>, StoreError> + Send + 'static,
) -> Response {
    let Some(pipeline) = board.pipeline() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the store is not open\n").into_response();
    };
    let made = tokio::task::spawn_blocking(move || {
        let said = look(&pipeline).map_err(|why| why.to_string())?;
        Ok(said.map(|said| serde_json::json!({"store": pipeline.store.path(), "said": said}).to_string()))
    });
    match made.await.map_err(|why| why.to_string()).and_then(|made| made) {
        Ok(Some(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "there is no such thing\n").into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

async fn style() -> Response {
    let head = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=86400")];
    (head, pages::STYLE).into_response()
}

/// Who may ask, how, and what every answer says of itself.
async fn guard(State(listen): State<IpAddr>, request: Request, next: Next) -> Response {
    let hub = request.uri().path().starts_with(HUBS) && request.method() != Method::HEAD;
    let mut response = if hub {
        next.run(request).await
    } else if !host_is_ours(listen, request.uri(), request.headers()) {
        (StatusCode::MISDIRECTED_REQUEST, "this server does not answer to that name\n").into_response()
    } else if ![Method::GET, Method::HEAD].contains(request.method()) {
        let head = [(header::ALLOW, "GET, HEAD")];
        (StatusCode::METHOD_NOT_ALLOWED, head, Body::from("nothing can be changed here\n")).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A web page elsewhere may point a name of its own at this address (DNS rebinding); it then sends that name.
fn host_is_ours(listen: IpAddr, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let Some(host) = hosts.next().and_then(|host| host.to_str().ok()) else { return false };
    hosts.next().is_none() && is_ours(listen, host) && uri.authority().is_none_or(|a| is_ours(listen, a.as_str()))
}

fn is_ours(listen: IpAddr, host: &str) -> bool {
    let bare = match host.rsplit_once(':') {
        Some((bare, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ => host,
    };
    if bare.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = bare.strip_prefix('[').and_then(|b| b.strip_suffix(']')).unwrap_or(bare);
    // a name that is no address is not ours
    bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip == listen || listen.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_its_own_names_are_answered() {
        for (listen, host, ours) in [
            ("127.0.0.1", "127.0.0.1:8640", true),
            ("127.0.0.1", "localhost", true),
            ("127.0.0.1", "LocalHost:8640", true),
            ("127.0.0.1", "[::1]:8640", true),
            ("127.0.0.1", "10.0.0.5:8640", false),
            ("127.0.0.1", "evil.example:8640", false),
            ("127.0.0.1", "127.0.0.1.evil.example", false),
            ("127.0.0.1", "localhost.evil.example", false),
            ("127.0.0.1", "", false),
            ("127.0.0.1", ":8640", false),
            ("192.168.1.5", "192.168.1.5:80", true),
            ("192.168.1.5", "192.168.1.6:80", false),
            ("0.0.0.0", "192.168.1.6:80", true),
            ("0.0.0.0", "office.example", false),
            ("::", "[2001:db8::1]:80", true),
        ] {
            assert_eq!(is_ours(listen.parse().unwrap(), host), ours, "{host} on {listen}");
        }
    }
}
