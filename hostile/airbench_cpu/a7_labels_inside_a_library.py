# id: A7
# attack: read test labels from a library of the image
# prepend: predict.py
# expect: crash
# line: ModuleNotFoundError|ImportError
from sklearn.datasets import load_digits
load_digits()
