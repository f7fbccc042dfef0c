//! What one database says in other words than the other.

/// The kind of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    /// Also MariaDB.
    MySql,
}

impl Engine {
    /// Makes the table. SQLite keeps a text of any length in a column of 40,
    /// unless a CHECK forbids it.
    pub fn table(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "CREATE TABLE IF NOT EXISTS ips (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    ip VARCHAR(45) NOT NULL UNIQUE,
                    city VARCHAR(40) NOT NULL
                        CHECK (length(city) <= 40),
                    country VARCHAR(40) NOT NULL
                        CHECK (length(country) <= 40)
                )"
            }
            Self::MySql => {
                "CREATE TABLE IF NOT EXISTS ips (
                    id BIGINT PRIMARY KEY AUTO_INCREMENT,
                    ip VARCHAR(45) NOT NULL UNIQUE,
                    city VARCHAR(40) NOT NULL,
                    country VARCHAR(40) NOT NULL
                ) DEFAULT CHARACTER SET utf8mb4"
            }
        }
    }

    /// What an INSERT is to do about a row whose address is there already:
    /// together they are an upsert.
    pub fn or_update(self) -> &'static str {
        match self {
            Self::Sqlite => {
                " ON CONFLICT (ip) DO UPDATE
                  SET city = excluded.city, country = excluded.country"
            }
            Self::MySql => {
                " ON DUPLICATE KEY UPDATE
                  city = VALUES(city), country = VALUES(country)"
            }
        }
    }

    /// How many keys see to it that no address is there twice.
    pub fn keys(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT COUNT(*) FROM pragma_index_list('ips') AS list
                 WHERE list.\"unique\" = 1 AND list.partial = 0
                 AND 'ip' = (SELECT group_concat(name)
                             FROM pragma_index_info(list.name))"
            }
            Self::MySql => {
                "SELECT COUNT(*) FROM (
                     SELECT index_name FROM information_schema.statistics
                     WHERE table_schema = DATABASE() AND table_name = 'ips'
                     GROUP BY index_name
                     HAVING MAX(non_unique) = 0
                     AND GROUP_CONCAT(column_name) = 'ip'
                     -- of all of it, not of its beginning
                     AND MAX(sub_part) IS NULL
                 ) AS found"
            }
        }
    }

    /// What a new connection is told first: to refuse what does not fit, and
    /// not to cut it off. (SQLite never does.)
    pub fn strictly(self) -> &'static str {
        match self {
            Self::Sqlite => "SELECT 1",
            Self::MySql => {
                "SET SESSION sql_mode =
                     CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')"
            }
        }
    }
}
