/* The frames between the yardstick's handler and bench_journal.c: as many bytes as between a child
 * and the keeper for a post of the bench. */
#ifndef BENCH_JOURNAL_H
#define BENCH_JOURNAL_H

#define BENCH_JOURNAL_JOB_BYTES   180
#define BENCH_JOURNAL_REPLY_BYTES 30

#endif
