/* The tables of a database: made, brought to this version, or refused. */
#ifndef CHAT_DATABASE_SCHEMA_H
#define CHAT_DATABASE_SCHEMA_H

#include "chat_database.h"

/**
 * Make the schema on an open connection, or bring that of an older version to this one, in one transaction.
 * A writer's call.
 *
 * @return APR_SUCCESS; APR_EINCOMPLETE if the schema is of a version that is not known; or as
 *         chat_database_run
 */
apr_status_t chat_database_schema_make(chat_database_t *db, const chat_sql_dialect_t *dialect,
                                       apr_pool_t *scratch_pool);

/**
 * See that the schema is of this version.
 *
 * @return as chat_database_schema_make; APR_EGENERAL where no version is kept
 */
apr_status_t chat_database_schema_check(chat_database_t *db, apr_pool_t *scratch_pool);

#endif
