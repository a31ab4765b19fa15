/* Answers that are made here and not by the origin. */
#ifndef EDGE_ANSWER_H
#define EDGE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

/**
 * Answer 200 with a file, which clients may keep for an hour.
 *
 * @param type  its Content-Type
 * @return EDGE_OK, or the status of the host call that failed; then nothing has been sent
 */
int edge_answer_file(const char *type, const uint8_t *data, size_t len);

/**
 * Answer with an error, in the JSON that the origin's errors have too; no cache may keep it.
 *
 * @param status  5xx
 * @param json    the body
 * @return EDGE_OK, or the status of the host call that failed; then nothing has been sent
 */
int edge_answer_error(uint32_t status, const char *json);

#endif
