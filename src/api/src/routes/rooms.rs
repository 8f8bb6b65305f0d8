//! Rooms: what their hub takes and gives.

use super::path::{Query, Room, User};
use crate::{
    Api,
    body::{Done, In, Out},
    error::Fault,
    session::Authed,
};
use axum::{
    Router,
    extract::State,
    routing::{delete, get, post, put},
};
use weft_wire::{
    limits,
    rooms::{
        Accepted, AskToJoin, CreateGroupLink, CreateRoom, GroupInfoAnswer, JoinAnswer, JoinRequests, LogPage,
        PutItem, RoomCreated, RoomList, SubmitCommit, SubmitMessage,
    },
};

/// A message and its envelope.
const MESSAGE_BODY_MAX: usize = limits::MESSAGE_BYTES_MAX + (4 << 10);
/// A token and where the hub is reached, or the hash of a token.
const DOOR_BODY_MAX: usize = 8 << 10;
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
        .route("/rooms/{room}/links", post(create_link).delete(end_links))
        .route("/rooms/{room}/join", post(join))
        .route("/rooms/{room}/requests", get(join_requests))
        .route("/rooms/{room}/requests/{user}", delete(decline_join))
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
    api.service().flows().leave_room(&caller, room).await?;
    Ok(Done)
}

async fn create_link(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
    In(request): In<CreateGroupLink, DOOR_BODY_MAX>,
) -> Result<Done, Fault> {
    api.service().flows().create_group_link(&caller, room, request).await?;
    Ok(Done)
}

async fn end_links(State(api): State<Api>, Authed(caller): Authed, Room(room): Room) -> Result<Done, Fault> {
    api.service().flows().end_group_links(&caller, room).await?;
    Ok(Done)
}

async fn join(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
    In(request): In<AskToJoin, DOOR_BODY_MAX>,
) -> Result<Out<JoinAnswer>, Fault> {
    Ok(Out(api.service().flows().join_room(&caller, room, request).await?))
}

async fn join_requests(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
) -> Result<Out<JoinRequests>, Fault> {
    Ok(Out(api.service().flows().join_requests(&caller, room).await?))
}

async fn decline_join(
    State(api): State<Api>,
    Authed(caller): Authed,
    Room(room): Room,
    User(user): User,
) -> Result<Done, Fault> {
    api.service().flows().decline_join(&caller, room, user).await?;
    Ok(Done)
}
