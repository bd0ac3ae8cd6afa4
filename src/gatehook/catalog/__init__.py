"""From a directory on disk to a decision: manifests, discovery, admission, consent, activation, the plan.

Nothing here imports, starts or connects a plugin.
"""

from gatehook.catalog.activation import Activation
from gatehook.catalog.activation import ActivationStatus
from gatehook.catalog.activation import EntryPlan
from gatehook.catalog.activation import Use
from gatehook.catalog.activation import activate
from gatehook.catalog.admission import AdmissionStatus
from gatehook.catalog.admission import Decision
from gatehook.catalog.admission import admit
from gatehook.catalog.candidates import Candidate
from gatehook.catalog.candidates import CandidateState
from gatehook.catalog.candidates import Origin
from gatehook.catalog.consent import ConsentStore
from gatehook.catalog.consent import asks_of
from gatehook.catalog.discovery import discover
from gatehook.catalog.gathering import consent_store
from gatehook.catalog.gathering import lock_path
from gatehook.catalog.lock import read_lock
from gatehook.catalog.lock import write_lock
from gatehook.catalog.manifest import Capabilities
from gatehook.catalog.manifest import ExternalMcp
from gatehook.catalog.manifest import Isolation
from gatehook.catalog.manifest import Manifest
from gatehook.catalog.manifest import NodeModule
from gatehook.catalog.manifest import Permissions
from gatehook.catalog.manifest import PythonModule
from gatehook.catalog.manifest import Requires
from gatehook.catalog.manifest import Transport
from gatehook.catalog.manifest_schema import manifest_json_schema
from gatehook.catalog.parsing import manifest_from
from gatehook.catalog.parsing import parse_manifest
from gatehook.catalog.places import Places
from gatehook.catalog.places import builtin_directory
from gatehook.catalog.plan import Plan
from gatehook.catalog.plan import make_plan
from gatehook.catalog.policy import Consent
from gatehook.catalog.policy import ConsentState
from gatehook.catalog.policy import Policy
from gatehook.catalog.slots import Slot
from gatehook.catalog.slots import SlotChoice
from gatehook.catalog.tree import Tree
from gatehook.catalog.tree import tree_digest
from gatehook.catalog.tree import verified_bytes
from gatehook.catalog.tree import verified_sources

__all__ = [
    "Activation",
    "ActivationStatus",
    "AdmissionStatus",
    "Candidate",
    "CandidateState",
    "Capabilities",
    "Consent",
    "ConsentState",
    "ConsentStore",
    "Decision",
    "EntryPlan",
    "ExternalMcp",
    "Isolation",
    "Manifest",
    "NodeModule",
    "Origin",
    "Permissions",
    "Places",
    "Plan",
    "Policy",
    "PythonModule",
    "Requires",
    "Slot",
    "SlotChoice",
    "Transport",
    "Tree",
    "Use",
    "activate",
    "admit",
    "asks_of",
    "builtin_directory",
    "consent_store",
    "discover",
    "lock_path",
    "make_plan",
    "manifest_from",
    "manifest_json_schema",
    "parse_manifest",
    "read_lock",
    "tree_digest",
    "verified_bytes",
    "verified_sources",
    "write_lock",
]
