//! Where hubs come (WebSub): `/websub/TOKEN`, behind the operator's proxy. Whoever does not know a token learns nothing.

use super::Board;
use crate::poll::{Pipeline, websub};
use axum::body::{self, Body};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{SubsecRound, Utc};
use std::sync::Arc;
use tracing::{error, warn};

/// A hub asks whether we meant it.
pub async fn asked(State(board): State<Arc<Board>>, Path(token): Path<String>, uri: Uri) -> Response {
    let Some(pipeline) = board.pipeline() else { return later() };
    let query = uri.query().unwrap_or_default().to_owned();
    let answer = move || websub::intent(&pipeline.store, &token, &query, Utc::now().trunc_subsecs(0));
    match tokio::task::spawn_blocking(answer).await {
        Ok(Ok(Some(challenge))) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], challenge).into_response(),
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(_)) | Err(_) => later(),
    }
}

/// A hub brings something. It is answered before it is read, as hubs wish.
pub async fn brought(State(board): State<Arc<Board>>, Path(token): Path<String>, request: Request) -> Response {
    let Some(pipeline) = board.pipeline() else { return later() };
    let Ok(room) = pipeline.deliveries.clone().try_acquire_owned() else { return later() };
    match known(&pipeline, &token).await {
        Some(true) => {}
        Some(false) => return StatusCode::GONE.into_response(),
        None => return later(),
    }
    let (head, body) = request.into_parts();
    let Some(body) = whole(&pipeline, body).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    tokio::spawn(async move {
        let _room = room;
        if let Err(why) = websub::deliver(&pipeline, &token, &head.headers, body, Utc::now().trunc_subsecs(0)).await {
            warn!("what a hub brought could not be read: {why:#}");
        }
    });
    StatusCode::ACCEPTED.into_response()
}

/// None where the store cannot say.
async fn known(pipeline: &Arc<Pipeline>, token: &str) -> Option<bool> {
    let (pipeline, token) = (pipeline.clone(), token.to_owned());
    let found = tokio::task::spawn_blocking(move || websub::find(&pipeline.store, &token)).await;
    match found.map_err(anyhow::Error::from).and_then(|found| Ok(found?)) {
        Ok(found) => Some(found.is_some()),
        Err(why) => {
            error!("a hub is told to come again: {why:#}");
            None
        }
    }
}

async fn whole(pipeline: &Pipeline, body: Body) -> Option<Vec<u8>> {
    let most = usize::try_from(pipeline.config.http.max_body).unwrap_or(usize::MAX);
    // too long, or broken off: either way there is nobody to tell why
    body::to_bytes(body, most).await.ok().map(Vec::from)
}

fn later() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")]).into_response()
}
