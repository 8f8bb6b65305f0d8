//! Rooms: what their hub takes and gives.

use super::path::{Query, Room};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{get, post, put},
};
use weft_wire::{
    limits,
    rooms::{
        Accepted, CreateRoom, GroupInfoAnswer, LogPage, PutItem, RoomCreated, RoomList, SubmitCommit,
        SubmitMessage,
    },
};

/// A message and its envelope.
const MESSAGE_BODY_MAX: usize = limits::MESSAGE_BYTES_MAX + (4 << 10);
const ITEM_BODY_MAX: usize = limits::ROOM_ITEM_BYTES_MAX + (1 << 10);

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/rooms", get(list).post(create))
        .route("/rooms/{room}/messages", post(submit_message))
        .route("/rooms/{room}/commits", post(submit_commit))
        .route("/rooms/{room}/log", get(log))
        .route("/rooms/{room}/group-info", get(group_info))
        .route("/rooms/{room}/items", put(put_item))
        .route("/rooms/{room}/leave", post(leave))
}

async fn list(State(api): State<Api>, Authed(caller): Authed, query: Query) -> Result<Out<RoomList>, Fault> {
    Ok(Out(api.service().rooms().list(&caller, query.get("after")?).await?))
}

async fn create(
    State(api): State<Api>,
    Authed(caller): Authed,
    In(request): In<CreateRoom>,
) -> Result<Out<RoomCreated>, Fault> {
    Ok(Out(api.service().flows().create_room(&caller, request).await?))
}

async fn submit_message(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
    In(request): In<SubmitMessage, MESSAGE_BODY_MAX>,
) -> Result<Out<Accepted>, Fault> {
    Ok(Out(api.service().flows().submit_message(&caller, room, request).await?))
}

async fn submit_commit(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
    In(request): In<SubmitCommit>,
) -> Result<Out<Accepted>, Fault> {
    Ok(Out(api.service().flows().submit_commit(&caller, room, request).await?))
}

async fn log(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
    query: Query,
) -> Result<Out<LogPage>, Fault> {
    let after = query.get("after")?.unwrap_or(0);
    let limit = query.get("limit")?.unwrap_or(limits::PAGE_MAX);
    Ok(Out(api.service().rooms().log(&caller, room, after, limit).await?))
}

async fn group_info(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
) -> Result<Out<GroupInfoAnswer>, Fault> {
    Ok(Out(api.service().flows().group_info(&caller, room).await?))
}

async fn put_item(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
    In(request): In<PutItem, ITEM_BODY_MAX>,
) -> Result<Done, Fault> {
    api.service().rooms().put_item(&caller, room, request).await?;
    Ok(Done)
}

async fn leave(State(api): State<Api>, Authed(caller): Authed, Room(room): Room) -> Result<Done, Fault> {
    api.service().rooms().leave(&caller, room).await?;
    Ok(Done)
}
