#include "keeper_task.h"

void keeper_task_give_up(keeper_task_t *task)
{
    __atomic_store_n(&task->is_given_up, 1, __ATOMIC_SEQ_CST);
}

void keeper_queue_push(keeper_queue_t *queue, keeper_task_t *task)
{
    task->next = NULL;
    if (queue->last) {
        queue->last->next = task;
    }
    else {
        queue->first = task;
    }
    queue->last = task;
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
