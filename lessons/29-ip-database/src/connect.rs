//! The first connection to a database.

use crate::trouble::Trouble;
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection};
use std::panic;
use std::time::Duration;
use tokio::spawn;
use tokio::time::timeout;

/// One connection, in so long at most. A pool would ask again and again where
/// nobody listens; this says so. In a task, since the driver panics at some
/// answers of a server that is no database; what it would say of that is not
/// heard.
///
/// # Errors
/// [`Trouble`]
pub async fn connect(
    options: AnyConnectOptions,
    patience: Duration,
) -> Result<AnyConnection, Trouble> {
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let mut task =
        spawn(async move { AnyConnection::connect_with(&options).await });
    let connected = timeout(patience, &mut task).await;
    task.abort(); // so that nothing of it comes later
    panic::set_hook(told);
    match connected {
        Ok(Ok(connection)) => connection.map_err(Trouble::Said),
        Ok(Err(_)) => Err(Trouble::Said(sqlx::Error::Protocol(
            "it speaks another protocol".to_owned(),
        ))),
        Err(_) => Err(Trouble::Late),
    }
}
