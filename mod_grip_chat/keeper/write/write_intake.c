#include "write_intake.h"

#include "gc_assert.h"
#include "write_job.h"

apr_status_t write_intake_init(write_intake_t *intake, const ipc_site_t *const *sites,
                               apr_size_t site_count, write_intake_give_back_fn *give_back,
                               void *baton, apr_pool_t *pool)
{
    memset(intake, 0, sizeof(*intake));
    intake->sites = sites;
    intake->site_count = site_count;
    intake->give_back = give_back;
    intake->baton = baton;
    return keeper_poll_create(&intake->poll, pool);
}

static apr_status_t watch(write_intake_t *intake, keeper_connection_t *connection,
                          apr_int16_t events)
{
    return keeper_poll_watch(intake->poll, KEEPER_FD_CHILD, connection->fd, connection, events);
}

static void drop(write_intake_t *intake, keeper_connection_t *connection)
{
    /* A descriptor that cannot be forgotten here is forgotten by the system as it closes. */
    (void)watch(intake, connection, 0);
    keeper_connection_close(connection);
}

static const ipc_site_t *find_site(const write_intake_t *intake, const char *identity)
{
    apr_size_t i;

    for (i = 0; i < intake->site_count; i++) {
        if (strcmp(intake->sites[i]->identity, identity) == 0) {
            return intake->sites[i];
        }
    }
    return NULL;
}

/* A whole job has arrived. */
static void take_job(write_intake_t *intake, keeper_connection_t *connection)
{
    static const ipc_reply_t malformed = {IPC_MALFORMED, 0, 0, 0};
    const ipc_site_t *site;
    keeper_task_t *task;
    ipc_job_t job;

    GC_ASSERT(!connection->is_busy && intake->count < WRITE_INTAKE_MAX + WRITE_INTAKE_ADOPT_MAX);
    if (ipc_frame_read_job(&job, keeper_connection_frame(connection)) != APR_SUCCESS ||
        !(site = find_site(intake, job.site)))
    {
        if (watch(intake, connection, 0) == APR_SUCCESS) {
            intake->give_back(connection, intake->baton);
        }
        else {
            drop(intake, connection);
        }
        return;
    }
    if (!write_job_find(job.kind)->is_valid(&job.append)) {
        if (!keeper_connection_reply(connection, &malformed)) {
            drop(intake, connection);
        }
        return;
    }
    task = &connection->received->task;
    *task = (keeper_task_t){.kind = KEEPER_TASK_STORED, .site = site, .append = job.append};
    task->append.site = site->name;
    connection->kind = job.kind;
    connection->is_busy = 1;
    intake->jobs[intake->count++] = connection;
}

/* Forget the job of a child that has gone. */
static void give_up(write_intake_t *intake, const keeper_connection_t *connection)
{
    int i = 0;

    while (i < intake->count && intake->jobs[i] != connection) {
        i++;
    }
    if (i < intake->count) {
        intake->count--;
        memmove(intake->jobs + i, intake->jobs + i + 1,
                sizeof(intake->jobs[0]) * (apr_size_t)(intake->count - i));
    }
}

static void serve(write_intake_t *intake, keeper_connection_t *connection, int is_ended)
{
    if (is_ended || connection->is_busy) {
        /* A child that has gone waits for nothing, even if a job of it is still to be read. A
         * child that waits for its reply sends nothing: a readable socket then means its end. */
        give_up(intake, connection);
        drop(intake, connection);
        return;
    }
    if (intake->count >= WRITE_INTAKE_MAX) {
        return;
    }
    switch (keeper_connection_read(connection)) {
    case KEEPER_READ_MORE:
        break;
    case KEEPER_READ_JOB:
        take_job(intake, connection);
        break;
    case KEEPER_READ_CLOSED:
        drop(intake, connection);
        break;
    }
}

void write_intake_adopt(write_intake_t *intake, keeper_connection_t *connection)
{
    if (intake->is_closed || watch(intake, connection, APR_POLLIN) != APR_SUCCESS) {
        keeper_connection_close(connection);
        return;
    }
    if (keeper_connection_has_job(connection)) {
        take_job(intake, connection);
    }
}

apr_status_t write_intake_read(write_intake_t *intake, apr_interval_time_t timeout)
{
    const apr_pollfd_t *ready;
    apr_int32_t count;
    apr_int32_t i;
    apr_status_t rv = keeper_poll_wait(intake->poll, timeout, &ready, &count);

    for (i = 0; i < count; i++) {
        const keeper_fd_t *entry = ready[i].client_data;

        if (entry->kind == KEEPER_FD_CHILD) {
            serve(intake, entry->object, (ready[i].rtnevents & (APR_POLLERR | APR_POLLHUP)) != 0);
        }
    }
    return rv;
}

void write_intake_reply(write_intake_t *intake)
{
    int i;

    for (i = 0; i < intake->count; i++) {
        keeper_connection_t *connection = intake->jobs[i];

        GC_ASSERT(connection->is_busy);
        connection->is_busy = 0;
        if (!keeper_connection_reply(connection, &connection->reply)) {
            drop(intake, connection);
        }
    }
    intake->count = 0;
}

void write_intake_close(write_intake_t *intake)
{
    keeper_fd_t *entry = NULL;

    GC_ASSERT(intake->count == 0);
    intake->is_closed = 1;
    while ((entry = keeper_poll_next(intake->poll, KEEPER_FD_CHILD, entry))) {
        drop(intake, entry->object);
    }
}
