"""Pictures from outside: which files of a folder are pictures (`listing`), and their pixels (`reading`).

Sources, signs, photos, masks, examples and crops all enter here, so that formats, orientation, colours and
damage are treated alike. Listing needs neither OpenCV nor a decoder.
"""
