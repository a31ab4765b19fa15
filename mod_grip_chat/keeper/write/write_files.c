/* The files stand in the lock's file behind the positions (see write_positions.c), as one line of
 * text, for an operator's eyes too. Numbers have leading zeros; all are 0 for an unknown file.
 *
 *   OFFSET  SIZE     MEANING
 *   103     5        "file "
 *   108     20 each  device, inode and birth of the database's file, with a space between
 *   170     6        ", log "
 *   176     20 each  device, inode and birth of its log, with a space between
 *   238     1        newline
 */
#include "write_files.h"

#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "write_positions.h"

#define NUMBER  "%020" APR_UINT64_T_FMT
#define FILE_ID NUMBER " " NUMBER " " NUMBER
#define FORM    "file " FILE_ID ", log " FILE_ID "\n"
#define LENGTH  136

static int format(char *text, const chat_database_files_t *files)
{
    return apr_snprintf(text, LENGTH + 1, FORM, files->file.device, files->file.inode,
                        files->file.born, files->log.device, files->log.inode, files->log.born);
}

apr_status_t write_files_read(chat_database_files_t *files, const write_lock_t *lock)
{
    chat_database_files_t found;
    char text[LENGTH + 1] = "";
    char again[LENGTH + 1];
    apr_status_t rv = write_lock_read(lock, WRITE_POSITIONS_BYTES, text, LENGTH);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    memset(&found, 0, sizeof(found));
    memset(files, 0, sizeof(*files));
    /* A number that does not fit is another one when it is written again. */
    /* NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(text, FORM, &found.file.device, &found.file.inode, &found.file.born,
               &found.log.device, &found.log.inode, &found.log.born) == 6 &&
        format(again, &found) == LENGTH && memcmp(text, again, LENGTH) == 0)
    {
        *files = found;
    }
    return APR_SUCCESS;
}

apr_status_t write_files_keep(const chat_database_files_t *files, const write_lock_t *lock)
{
    char text[LENGTH + 1];

    format(text, files);
    return write_lock_write(lock, WRITE_POSITIONS_BYTES, text, LENGTH);
}
