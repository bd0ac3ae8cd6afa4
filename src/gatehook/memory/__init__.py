"""What every memory shares: rules, words, ranking, snippets; and the engines that several memories are built on.

Nothing is imported here: a memory takes what it needs.
"""
