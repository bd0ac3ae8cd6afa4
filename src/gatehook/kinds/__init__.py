"""The seven contracts a plugin can fulfil, and the domain types they speak.

Nothing is imported here: the control plane reads manifests with the vocabulary alone, without the machinery of
providers.
"""
