#include "keeper_task.h"

int keeper_queue_push(keeper_queue_t *queue, keeper_task_t *task)
{
    int was_empty = !queue->last;

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
    }
    return task;
}
