/* The files that a database's keepers had open last, kept in the file of their lock behind the
 * positions. They show the next keeper whether a log belongs to another file than the one beside
 * it. That happens if the file was moved or replaced when no keeper ran.
 * Lives in the keeper, in a writer's thread. There is nothing to free. */
#ifndef WRITE_FILES_H
#define WRITE_FILES_H

#include "chat_database_file.h"
#include "write_lock.h"

/**
 * Read which files the keeper before had open.
 *
 * @param lock   of the database, held
 * @param files  zeros where nothing readable is kept; untouched on failure
 * @return APR_SUCCESS, or why the file cannot be read
 */
apr_status_t write_files_read(chat_database_files_t *files, const write_lock_t *lock);

/**
 * Keep the open files' ids for the next keeper; not synced. @return APR_SUCCESS, or why it cannot
 * be written
 */
apr_status_t write_files_keep(const chat_database_files_t *files, const write_lock_t *lock);

#endif
