"""The stages of the loop: each reads what the one before wrote to disk, calls the rooms, and writes its own.

A stage run again after a crash finishes what is missing. Commands and experiments are made of these.
"""
