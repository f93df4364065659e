"""The steps of the loop: each reads what the one before wrote to disk, calls the rooms, and writes its own.

A step run again after a crash finishes what is missing. Commands and studies are made of these.
"""
