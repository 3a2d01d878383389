# id: B12
# attack: open descriptors until there are none
# base: predict.py
# expect: crash
# line: Too many open files
hog = []
while True: hog.append(open("/dev/null"))
