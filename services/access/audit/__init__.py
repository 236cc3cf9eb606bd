"""The one audit of all services: who signed in, who saw and took what, who allowed whom.

`Recorder` adds what each publisher tells to one hash-chained table; `verify_chain` proves that nothing in
it was changed, removed or put in between; `list_entries` says it in sentences, with names looked up then,
so that the chain itself holds no names.
"""

from services.access.audit.chain import BrokenChain, verify_chain
from services.access.audit.reading import list_entries
from services.access.audit.recorder import PUBLISHERS, Recorder

__all__ = ["PUBLISHERS", "BrokenChain", "Recorder", "list_entries", "verify_chain"]
