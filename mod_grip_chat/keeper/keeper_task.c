#include "keeper_task.h"

#include "gc_assert.h"

int keeper_queue_push(keeper_queue_t *queue, keeper_task_t *task)
{
    int was_empty = !queue->last;

    /* It is in no queue, of which all but the last have a next. */
    GC_ASSERT(!task->next && queue->last != task);
    task->next = NULL;
    if (was_empty) {
        queue->first = task;
    }
    else {
        queue->last->next = task;
    }
    queue->last = task;
    return was_empty;
}

keeper_task_t *keeper_queue_pop(keeper_queue_t *queue)
{
    keeper_task_t *task = queue->first;

    if (task) {
        queue->first = task->next;
        if (!queue->first) {
            queue->last = NULL;
        }
        task->next = NULL;
    }
    return task;
}

void keeper_queue_remove(keeper_queue_t *queue, const keeper_task_t *task)
{
    keeper_queue_t kept = {NULL, NULL};
    keeper_task_t *each;

    while ((each = keeper_queue_pop(queue))) {
        if (each != task) {
            (void)keeper_queue_push(&kept, each);
        }
    }
    *queue = kept;
}
