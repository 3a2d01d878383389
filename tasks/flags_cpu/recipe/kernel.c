/* The potential at every point of all charges: kernel POINTS OUT, both raw doubles; POINTS holds x, y, z, charge. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SOFT 1e-4 /* added to squared distances, so that a point's own charge has a finite share */

struct point {
    double x, y, z, charge;
};

static void potential(const struct point *points, double *sums, long n)
{
    for (long first = 0; first < n; first += BLOCK) {
        long last = first + BLOCK < n ? first + BLOCK : n;
        for (long j = 0; j < n; j++)
            for (long i = first; i < last; i++) {
                double dx = points[i].x - points[j].x;
                double dy = points[i].y - points[j].y;
                double dz = points[i].z - points[j].z;
                sums[i] += points[j].charge / sqrt(dx * dx + dy * dy + dz * dz + SOFT);
            }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
    if (!in || !out)
        return 3;
    fseek(in, 0, SEEK_END);
    long n = ftell(in) / (long)sizeof(struct point);
    rewind(in);
    struct point *points = malloc(n * sizeof *points);
    double *sums = calloc(n, sizeof *sums);
    if (!points || !sums || fread(points, sizeof *points, n, in) != (size_t)n)
        return 4;
    potential(points, sums, n);
    return fwrite(sums, sizeof *sums, n, out) == (size_t)n && fclose(out) == 0 ? 0 : 5;
}
