# id: X8
# attack: a byte order mark and an old encoding declaration
# prepend: predict.py
# expect: preflight_crash,honest
# -*- coding: utf-7 -*-
