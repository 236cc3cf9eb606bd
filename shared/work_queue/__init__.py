"""Work to do because of an event: an email to send, a file to write.

It is put into Postgres in the transaction of the event (`enqueue`), so neither is ever without the other,
and done by competing workers (`Worker`). Why not consumer groups on Redis: docs/decisions/0003.
"""

from shared.work_queue.queue import Job, enqueue
from shared.work_queue.worker import GiveUp, Handler, Worker

__all__ = ["GiveUp", "Handler", "Job", "Worker", "enqueue"]
