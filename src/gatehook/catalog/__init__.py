"""From a directory on disk to a decision: manifests, discovery, admission, consent, activation, the plan.

Nothing here imports, starts or connects a plugin. Each name is imported when it is first used, so that a listing does
not pay for what it does not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatehook.exports import lazy_exports

if TYPE_CHECKING:
    from gatehook.catalog.activation import Activation as Activation
    from gatehook.catalog.activation import ActivationStatus as ActivationStatus
    from gatehook.catalog.activation import EntryPlan as EntryPlan
    from gatehook.catalog.activation import Use as Use
    from gatehook.catalog.activation import activate as activate
    from gatehook.catalog.admission import AdmissionStatus as AdmissionStatus
    from gatehook.catalog.admission import Decision as Decision
    from gatehook.catalog.admission import admit as admit
    from gatehook.catalog.candidates import Candidate as Candidate
    from gatehook.catalog.candidates import CandidateState as CandidateState
    from gatehook.catalog.candidates import Origin as Origin
    from gatehook.catalog.consent import ConsentStore as ConsentStore
    from gatehook.catalog.consent import asks_of as asks_of
    from gatehook.catalog.discovery import discover as discover
    from gatehook.catalog.gathering import consent_store as consent_store
    from gatehook.catalog.gathering import lock_path as lock_path
    from gatehook.catalog.lock import read_lock as read_lock
    from gatehook.catalog.lock import write_lock as write_lock
    from gatehook.catalog.manifest import Capabilities as Capabilities
    from gatehook.catalog.manifest import ExternalMcp as ExternalMcp
    from gatehook.catalog.manifest import Isolation as Isolation
    from gatehook.catalog.manifest import Manifest as Manifest
    from gatehook.catalog.manifest import NodeModule as NodeModule
    from gatehook.catalog.manifest import Permissions as Permissions
    from gatehook.catalog.manifest import PythonModule as PythonModule
    from gatehook.catalog.manifest import Requires as Requires
    from gatehook.catalog.manifest import Transport as Transport
    from gatehook.catalog.manifest_schema import manifest_json_schema as manifest_json_schema
    from gatehook.catalog.parsing import manifest_from as manifest_from
    from gatehook.catalog.parsing import parse_manifest as parse_manifest
    from gatehook.catalog.places import Places as Places
    from gatehook.catalog.places import builtin_directory as builtin_directory
    from gatehook.catalog.plan import Plan as Plan
    from gatehook.catalog.plan import make_plan as make_plan
    from gatehook.catalog.policy import Consent as Consent
    from gatehook.catalog.policy import ConsentState as ConsentState
    from gatehook.catalog.policy import Policy as Policy
    from gatehook.catalog.slots import Slot as Slot
    from gatehook.catalog.slots import SlotChoice as SlotChoice
    from gatehook.catalog.tree import Tree as Tree
    from gatehook.catalog.tree import tree_digest as tree_digest
    from gatehook.catalog.tree import verified_bytes as verified_bytes
    from gatehook.catalog.tree import verified_sources as verified_sources

__all__, __getattr__, __dir__ = lazy_exports(  # tested against the imports above
    __name__,
    {
        "activation": "Activation ActivationStatus EntryPlan Use activate",
        "admission": "AdmissionStatus Decision admit",
        "candidates": "Candidate CandidateState Origin",
        "consent": "ConsentStore asks_of",
        "discovery": "discover",
        "gathering": "consent_store lock_path",
        "lock": "read_lock write_lock",
        "manifest": (
            "Capabilities ExternalMcp Isolation Manifest NodeModule Permissions PythonModule Requires Transport"
        ),
        "manifest_schema": "manifest_json_schema",
        "parsing": "manifest_from parse_manifest",
        "places": "Places builtin_directory",
        "plan": "Plan make_plan",
        "policy": "Consent ConsentState Policy",
        "slots": "Slot SlotChoice",
        "tree": "Tree tree_digest verified_bytes verified_sources",
    },
)
