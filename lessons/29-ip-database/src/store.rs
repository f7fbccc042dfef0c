//! The table `ips`, in whichever database it is.

use crate::connect::connect;
use crate::engine::Engine;
use crate::insert;
use crate::options::Options;
use crate::place::Place;
use crate::target::Target;
use crate::trouble::{PATIENCE, TO_CONNECT, Trouble, in_time};
use anyhow::{anyhow, ensure};
use shared::Stage;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::query_builder::QueryBuilder;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor, query_scalar};
use std::cell::OnceCell;
use std::net::IpAddr;
use std::slice::from_ref;
use std::sync::Once;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// What is to be stored.
#[derive(Clone)]
pub struct Found {
    pub ip: IpAddr,
    pub place: Place,
}

/// What is not, and why.
pub struct Missing {
    pub ip: IpAddr,
    pub why: String,
}

/// A row of the table: id, ip, city, country.
pub type Row = (i64, String, String, String);

/// A table of addresses, and the connections to it.
pub struct Store {
    pub engine: Engine,
    pub pool: AnyPool,
    target: Target,
    /// Why nothing more is written.
    broken: OnceCell<String>,
}

/// Does some work on the database of this run. Coroutines that it spawns run
/// on this thread; the runtime is gone afterwards, so that the process may
/// fork again.
///
/// # Errors
/// When the database cannot be opened, and those of `work`.
pub fn with_store<T>(
    stage: &Stage,
    work: impl AsyncFnOnce(&Store) -> shared::Result<T>,
) -> shared::Result<T> {
    let target = match &stage.options::<Options>().database {
        Some(target) => target.clone(),
        None => Target::file(&stage.folder()?.join("ips.db"))?,
    };
    with(&target, work)
}

/// The same on another one.
///
/// # Errors
/// As [`with_store`].
pub fn with<T>(
    target: &Target,
    work: impl AsyncFnOnce(&Store) -> shared::Result<T>,
) -> shared::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(target).await?;
        let done = work(&store).await;
        // Who does not answer is not waited for.
        let _ = timeout(Duration::from_secs(2), store.pool.close()).await;
        done
    })
}

impl Store {
    async fn open(target: &Target) -> shared::Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(install_default_drivers);
        let first = connect(target.options.clone(), PATIENCE).await;
        let mut first =
            first.map_err(|trouble| cannot("open", target, &trouble))?;
        prepare(&mut first, target).await?;
        let _ = in_time(first.close()).await;
        let engine = target.engine;
        let pool = AnyPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(TO_CONNECT)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(engine.strictly()).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(target.options.clone());
        let broken = OnceCell::new();
        Ok(Self { engine, pool, target: target.clone(), broken })
    }

    /// Stores these rows, all in one statement, and returns which it could
    /// not store.
    pub async fn write(&self, batch: &[Found]) -> Vec<Missing> {
        if let Some(why) = self.broken.get() {
            return missing(batch, why);
        }
        match insert(self, batch).await {
            Ok(()) => Vec::new(),
            Err(trouble) if !trouble.is_of_a_row() => {
                let why = self.broken.get_or_init(|| trouble.to_string());
                missing(batch, why)
            }
            Err(trouble) if batch.len() == 1 => {
                missing(batch, &trouble.to_string())
            }
            // Then none of them was stored. Each by itself: which is it?
            Err(_) => {
                let mut refused = Vec::new();
                for row in batch {
                    refused.extend(Box::pin(self.write(from_ref(row))).await);
                }
                refused
            }
        }
    }

    /// What is stored of these addresses, in the order in which it was.
    ///
    /// # Errors
    /// When the database does not say.
    pub async fn rows(&self, ips: &[IpAddr]) -> shared::Result<Vec<Row>> {
        if ips.is_empty() {
            return Ok(Vec::new()); // `IN ()` is no SQL
        }
        let ask = "SELECT id, ip, city, country FROM ips WHERE ip IN (";
        let mut sql = listed(ask, ips);
        sql.push(" ORDER BY id");
        let rows = sql.build_query_as().fetch_all(&self.pool);
        in_time(rows).await.map_err(|trouble| self.cannot("read", &trouble))
    }

    /// How many rows the table has besides those of these addresses.
    ///
    /// # Errors
    /// When the database does not say.
    pub async fn count_but(&self, ips: &[IpAddr]) -> shared::Result<i64> {
        let count = query_scalar("SELECT COUNT(*) FROM ips");
        let count: Result<i64, _> = in_time(count.fetch_one(&self.pool)).await;
        let count = count.map_err(|trouble| self.cannot("read", &trouble))?;
        Ok(count - self.rows(ips).await?.len() as i64)
    }

    /// Removes the rows of these addresses.
    ///
    /// # Errors
    /// When the database does not.
    pub async fn remove(&self, ips: &[IpAddr]) -> shared::Result {
        let mut sql = listed("DELETE FROM ips WHERE ip IN (", ips);
        let removed = in_time(sql.build().execute(&self.pool)).await;
        removed.map_err(|trouble| self.cannot("write to", &trouble))?;
        Ok(())
    }

    /// Why it cannot be read or written to, and what to do.
    pub fn cannot(&self, what: &str, trouble: &Trouble) -> anyhow::Error {
        cannot(what, &self.target, trouble)
    }
}

/// Makes the table, and sees whether that is the one which is there.
async fn prepare(first: &mut AnyConnection, target: &Target) -> shared::Result {
    let made = in_time(first.execute(target.engine.table())).await;
    made.map_err(|trouble| cannot("make a table in", target, &trouble))?;
    let columns = "SELECT id, ip, city, country FROM ips WHERE 1 = 0";
    let another = |why: &str| {
        anyhow!(
            "cannot use the table ips in {target}; rename or drop it, or name \
             another database: it is another one, {why}"
        )
    };
    let found = in_time(first.execute(columns)).await;
    found.map_err(|trouble| another(&trouble.to_string()))?;
    let keys = query_scalar(target.engine.keys()).fetch_one(&mut *first);
    let keys: i64 = in_time(keys)
        .await
        .map_err(|trouble| cannot("read the keys of", target, &trouble))?;
    ensure!(keys > 0, another("no key keeps an ip from being there twice"));
    Ok(())
}

fn listed(sql: &str, ips: &[IpAddr]) -> QueryBuilder<Any> {
    let mut sql = QueryBuilder::new(sql);
    let mut list = sql.separated(", ");
    for ip in ips {
        list.push_bind(ip.to_string());
    }
    list.push_unseparated(")");
    sql
}

fn missing(batch: &[Found], why: &str) -> Vec<Missing> {
    let named = |row: &Found| Missing { ip: row.ip, why: why.to_owned() };
    batch.iter().map(named).collect()
}

fn cannot(what: &str, target: &Target, trouble: &Trouble) -> anyhow::Error {
    let advice = trouble.advice();
    anyhow!("cannot {what} the database {target}; {advice}: {trouble}")
}
